// What only React Native has: the device, and the life of an app.

import { DeviceEventEmitter, Platform as Device, TurboModuleRegistry } from 'react-native';
import * as tim from 'react-native-tim-js';

import { equal, patient, type Story, until, type World } from '../../../js/test/world.js';
import type { Item } from '../../../js/src/engine.js';
import type { Config, Spec } from '../../src/NativeTim.js';

const isPad = Device.OS === 'ios' && Device.isPad;
const native = TurboModuleRegistry.get<Spec>('NativeTim')!;

/** What NetInfo's stand-in has, where there is one. */
declare const netInfo:
  { change(state: { type: string; isConnected: boolean | null }): void } | undefined;

/** Runs a story with a client, and with the calls of native that it made of the app's life. */
async function watched(
  world: World,
  run: (calls: string[], client: tim.TimClient) => Promise<void>,
): Promise<void> {
  const { wake, setBackground } = native;
  const calls: string[] = [];
  const client = new tim.TimClient(world);
  native.wake = (number) => (calls.push('wake'), wake(number));
  native.setBackground = (number, background) => {
    calls.push(background ? 'background' : 'foreground');
    return setBackground(number, background);
  };
  try {
    await run(calls, client);
  } finally {
    Object.assign(native, { wake, setBackground });
    await client.close();
  }
}

/** Runs a story with what clients are made of, as C++ is told of it. */
async function opening(run: (made: Config[]) => Promise<void>): Promise<void> {
  const { open } = native;
  const made: Config[] = [];
  native.open = (config) => (made.push(config), open({ ...config, dataDir: '' }));
  try {
    await run(made);
  } finally {
    native.open = open;
  }
}

function appState(app_state: string): void {
  DeviceEventEmitter.emit('appStateDidChange', { app_state });
}

export const phone: readonly Story[] = [
  {
    name: 'what happened in the app before anybody listened is kept, in order',
    async run({ tim, sdkAppID }) {
      const { EventKind } = tim;
      const client = native.open({
        platform: tim.Platform.Android,
        sdkAppID,
        url: 'ws://127.0.0.1:1',
        dataDir: '',
        instance: '',
        label: '',
        sdk: '',
        caPem: '',
        loginTimeoutMs: 0,
        logoutTimeoutMs: 0,
        allowInsecure: false,
        background: false,
        logLevel: 0,
        ticketProvider: false,
      });
      equal(native.login(client, 7, 'alice', 'ticket'), 0);
      await until(() => native.status(client) === tim.LoginStatus.LoggingIn, 'it is logging in');
      native.close(client);
      const items = native.take(client) as unknown as Item[];
      const told = items.map((item) => (item.type === 'event' ? item.kind : item.type));
      equal(told.slice(0, 2), [EventKind.LoginStatus, EventKind.Connecting]);
      equal(told.slice(-2), ['result', EventKind.Closed]);
      equal(native.take(client), []);
      equal(native.close(client), tim.Code.NotInitialized, 'it is forgotten then');
    },
  },
  {
    name: 'V2TIM counts as the phone or the tablet that it runs on',
    async run({ tim, endpoint, sdkAppID, ticket, online }) {
      const { v2TIMManager } = tim.TencentImSDKPlugin;
      const { Android, IOS, IPad } = tim.Platform;
      tim.configure({ endpoint, ...patient });
      await v2TIMManager.initSDK(sdkAppID, tim.LogLevelEnum.V2TIM_LOG_NONE);
      equal((await v2TIMManager.login('alice', await ticket('alice'))).code, 0);
      const want = Device.OS === 'android' ? Android : isPad ? IPad : IOS;
      equal(await online('alice'), [want]);
      await v2TIMManager.unInitSDK();
    },
  },
  {
    name: 'whom it pushes out is told its model',
    async run({ tim, endpoint, sdkAppID, ticket }) {
      const first = new tim.TimClient({ endpoint, sdkAppID, ...patient });
      const second = new tim.TimClient({ endpoint, sdkAppID, ...patient });
      let by = '';
      first.on('kickedOffline', ({ byLabel }) => (by = byLabel));
      await first.login('alice', await ticket('alice'));
      await second.login('alice', await ticket('alice'));
      await until(() => by !== '', 'the first was kicked');
      equal(by, Device.OS === 'android' ? 'Fairphone FP5' : isPad ? 'iPad' : 'iPhone');
      await Promise.all([first.close(), second.close()]);
    },
  },
  {
    name: 'the engine is told when the app goes to the background, and is woken when it comes back',
    run: (world) =>
      watched(world, async (calls, client) => {
        for (const state of ['inactive', 'background', 'active']) appState(state);
        equal(calls, ['background', 'foreground']);
        await client.close();
        appState('background');
        equal(calls.length, 2, 'calls for a client that is closed');
        appState('active');
      }),
  },
  {
    name: 'a client that is made in the background knows it',
    run: (world) =>
      opening(async (made) => {
        appState('background');
        const client = new tim.TimClient(world);
        appState('active');
        equal(made[0]!.background, true);
        await client.close();
      }),
  },
  {
    name: "the identity of the installation lies in the app's own folder, one for each face",
    run: ({ endpoint, sdkAppID }) =>
      opening(async (made) => {
        const { dataDir } = native;
        native.dataDir = () => '/data/user/0/com.example/no_backup/tim';
        try {
          await new tim.TimClient({ endpoint, sdkAppID }).close();
          tim.configure({ endpoint });
          await tim.TencentImSDKPlugin.v2TIMManager.initSDK(sdkAppID, 3);
          await tim.TencentImSDKPlugin.v2TIMManager.unInitSDK();
        } finally {
          native.dataDir = dataDir;
        }
        const folder = '/data/user/0/com.example/no_backup/tim';
        const want = [`${folder}/app-${sdkAppID}`, `${folder}/v2tim-${sdkAppID}`];
        equal(
          made.map((config) => config.dataDir),
          want,
        );
      }),
  },
  {
    name: 'a device whose model has a long name is told by the beginning of it',
    run: (world) =>
      opening(async (made) => {
        if (Device.OS !== 'android') return;
        const constants = Object.getOwnPropertyDescriptor(Device, 'constants')!;
        const value = { Brand: '小米', Model: '红'.repeat(30) };
        Object.defineProperty(Device, 'constants', { configurable: true, value });
        try {
          await new tim.TimClient(world).close();
        } finally {
          Object.defineProperty(Device, 'constants', constants);
        }
        equal(made[0]!.label, `小米 ${'红'.repeat(19)}`, 'of at most 64 bytes');
      }),
  },
  {
    name: 'the engine is woken when the network is another one, in an app with NetInfo',
    run: (world) =>
      watched(world, async (calls) => {
        if (typeof netInfo === 'undefined') return equal(calls, []);
        netInfo.change({ type: 'wifi', isConnected: true });
        netInfo.change({ type: 'wifi', isConnected: true });
        netInfo.change({ type: 'none', isConnected: false });
        equal(calls, [], 'after the network that there was, and none');
        netInfo.change({ type: 'cellular', isConnected: true });
        equal(calls, ['wake']);
      }),
  },
];
