// What happens to a session, through the face that tells most of it, and what the facades make of that.

import type { Kick, TimClient, TimEvents, TimOptions } from '../../src/index.js';
import { equal, logInFor, ok, patient, type Story, until, type World } from '../world.js';

interface Told {
  readonly client: TimClient;
  readonly heard: [keyof TimEvents, any][];
  /** The names of what was told. */
  names(): string[];
  /** The payload of the last event of a kind. */
  last<K extends keyof TimEvents>(event: K): TimEvents[K] | undefined;
}

function open({ tim, endpoint, sdkAppID }: World, options: Partial<TimOptions> = {}): Told {
  const client = new tim.TimClient({ endpoint, sdkAppID, ...patient, ...options });
  const heard: Told['heard'] = [];
  const names: (keyof TimEvents)[] = [
    'connecting',
    'connected',
    'disconnected',
    'loginStatus',
    'ready',
    'kickedOffline',
    'userSigWillExpire',
    'userSigExpired',
    'ticketProviderFailed',
    'closed',
  ];
  for (const name of names) client.on(name, (payload: unknown) => heard.push([name, payload]));
  return {
    client,
    heard,
    names: () => heard.map(([name]) => name),
    last: (event) => heard.filter(([name]) => name === event).pop()?.[1],
  };
}

/**
 * A story about a ticket of four seconds, with which alice is logged in. Where the machine is so busy that the ticket ends
 * before something is done about it, it is told again, with twice as many seconds.
 */
function ticketStory(
  name: string,
  options: (world: World) => Partial<TimOptions>,
  run: (told: Told, world: World, ticketExpires: Date) => Promise<void>,
): Story {
  const tell = async (world: World, seconds: number): Promise<void> => {
    const told = open(world, options(world));
    const { client } = told;
    try {
      const sig = await world.ticket('alice', { seconds });
      const { ticketExpires } = await client.login('alice', sig);
      await run(told, world, ticketExpires!);
    } catch (error) {
      const late = (error as { code?: number }).code === world.tim.Code.TicketExpired;
      const over = late || client.user === '' || told.names().includes('userSigExpired');
      if (seconds > 60 || !over) throw error;
      return tell(world, 2 * seconds);
    } finally {
      await client.close();
    }
  };
  return { name, run: (world) => tell(world, 4) };
}

/** For whom a ticket provider was asked. */
const asked: string[] = [];

const loggedIn = ['loginStatus', 'connecting', 'connected', 'loginStatus', 'ready'];

export const sessions: readonly Story[] = [
  {
    name: 'a session from login to close tells its events in this order',
    async run(world) {
      const { client, heard, names } = open(world);
      const { repeatLogin, ticketExpires } = await client.login(
        'alice',
        await world.ticket('alice'),
      );
      equal(repeatLogin, false);
      ok(ticketExpires !== undefined && ticketExpires.getTime() > Date.now(), 'the ticket lasts');
      equal(names(), loggedIn);
      const { LoginStatus } = world.tim;
      equal(heard[0], ['loginStatus', LoginStatus.LoggingIn]);
      equal(heard[2], ['connected', { resumed: false }]);
      equal(heard[3], ['loginStatus', LoginStatus.LoggedIn]);
      equal([client.status, client.ready, client.user], [LoginStatus.LoggedIn, true, 'alice']);
      await client.logout();
      equal(names().slice(5), ['loginStatus', 'ready', 'disconnected']);
      equal([client.status, client.ready, client.user], [LoginStatus.LoggedOut, false, '']);
      await client.close();
      equal(names().slice(8), ['closed']);
    },
  },
  {
    name: 'a kick says why and by whom, before the state changes',
    async run(world) {
      const { client, names, last } = open(world);
      const { KickReason, LoginStatus, Platform } = world.tim;
      await client.login('alice', await world.ticket('alice'));
      let status: number | undefined;
      client.on('kickedOffline', () => (status = client.status));
      await world.signInElsewhere('alice', Platform.IOS);
      await until(() => names().length >= 9, 'it was kicked');
      equal(names().slice(5), ['kickedOffline', 'loginStatus', 'ready', 'disconnected']);
      equal(status, LoginStatus.LoggedOut);
      const kick = last('kickedOffline') as Kick;
      equal([kick.reason, kick.byPlatform], [KickReason.MultipleDevice, Platform.IOS]);
      ok(kick.byLabel !== '' && kick.text !== '', 'it has words');
      ok(Math.abs(kick.at!.getTime() - Date.now()) < 60_000, 'it has a time');
      await client.close();
    },
  },
  {
    name: 'an administrator ends a session, and the client does not log in by itself',
    async run(world) {
      const { client, names, last } = open(world);
      await client.login('alice', await world.ticket('alice'));
      await world.kick('alice');
      await until(() => names().includes('kickedOffline'), 'it was kicked');
      equal(last('kickedOffline')!.reason, world.tim.KickReason.RESTAPI);
      equal(last('kickedOffline')!.byPlatform, undefined);
      await until(() => client.user === '', 'nobody is logged in');
      equal(await world.online('alice'), []);
      await client.close();
    },
  },
  {
    name: 'a lost connection comes back by itself and changes no status',
    async run(world) {
      const { client, names, last } = open(world);
      await client.login('alice', await world.ticket('alice'));
      await world.cut();
      await until(() => names().includes('disconnected'), 'the connection was lost');
      const { code, text } = last('disconnected')!;
      ok(code !== 0 && text !== '', 'the reason is told');
      equal([client.ready, client.user], [true, 'alice']);
      ok(client.serverTimeMs! > 0, 'the clock goes on');
      await world.heal();
      await until(() => last('connected')!.resumed, 'the session resumed');
      equal(names().filter((name) => name === 'loginStatus' || name === 'ready').length, 3);
      await client.close();
    },
  },
  ticketStory(
    'a ticket that ends soon is announced, and renew keeps the session',
    () => ({}),
    async ({ client, names, last }, world, ticketExpires) => {
      await until(() => names().includes('userSigWillExpire'), 'it was announced');
      equal(last('userSigWillExpire')!.at, ticketExpires);
      await client.renew(await world.ticket('alice'));
      await until(() => Date.now() > ticketExpires.getTime() + 50, 'the first ticket is over');
      equal(client.user, 'alice');
      ok(!names().includes('userSigExpired'), 'the session goes on');
    },
  ),
  {
    name: 'a ticket that ends ends the session',
    async run(world) {
      const { client, names, last } = open(world);
      await logInFor(world, 2, 'alice', (sig) =>
        client.login('alice', sig).then(
          () => 0,
          ({ code }) => code,
        ),
      );
      await until(() => names().includes('userSigExpired'), 'it ended');
      equal(last('userSigExpired')!.code, world.tim.Code.TicketExpired);
      await until(() => client.user === '', 'nobody is logged in');
      await client.close();
    },
  },
  ticketStory(
    'the ticket provider is asked in time, and the session goes on past the end of its first ticket',
    (world) => {
      asked.length = 0;
      return { ticketProvider: async (userID) => (asked.push(userID), world.ticket(userID)) };
    },
    async ({ client, names }, _, ticketExpires) => {
      await until(() => Date.now() > ticketExpires.getTime() + 50, 'the first ticket is over');
      equal(asked, ['alice']);
      equal(client.user, 'alice');
      ok(!names().includes('userSigWillExpire'), 'the app need not do anything');
    },
  ),
  ticketStory(
    'a ticket provider that throws harms nothing, and is told of',
    () => ({
      ticketProvider: () => {
        throw new Error('the backend is down');
      },
    }),
    async ({ client, names, last }, { tim }) => {
      await until(() => names().includes('ticketProviderFailed'), 'it failed');
      const error = last('ticketProviderFailed')!;
      ok(error instanceof tim.TimError, 'it is a TimError');
      ok(error.message.includes('ticketProvider: the backend is down'), error.message);
      equal(client.user, 'alice');
    },
  ),
  {
    name: 'V2TIM: listeners of initSDK and of addIMSDKListener hear the same, until they are replaced and removed',
    async run(world) {
      const { tim } = world;
      const { v2TIMManager } = tim.TencentImSDKPlugin;
      const heard: string[] = [];
      const listener = (name: string) => ({ onConnectSuccess: () => heard.push(name) });
      const added = listener('added');
      tim.configure({ endpoint: world.endpoint, ...patient });
      await v2TIMManager.addIMSDKListener(added);
      await v2TIMManager.initSDK(
        world.sdkAppID,
        tim.LogLevelEnum.V2TIM_LOG_NONE,
        listener('first'),
      );
      await v2TIMManager.login('alice', await world.ticket('alice'));
      equal(heard.splice(0), ['first', 'added']);

      const again = await v2TIMManager.initSDK(
        world.sdkAppID,
        tim.LogLevelEnum.V2TIM_LOG_NONE,
        listener('second'),
      );
      equal(again, { code: 0, desc: 'ok', data: true });
      equal((await v2TIMManager.getLoginUser()).data, 'alice', 'the session goes on');
      await v2TIMManager.login('bob', await world.ticket('bob'));
      equal(heard.splice(0), ['second', 'added']);

      await v2TIMManager.unInitSDK();
      await v2TIMManager.initSDK(world.sdkAppID, tim.LogLevelEnum.V2TIM_LOG_NONE);
      await v2TIMManager.login('alice', await world.ticket('alice'));
      equal(heard.splice(0), ['added'], 'what initSDK was given is gone');
      await v2TIMManager.removeIMSDKListener(added);
      await v2TIMManager.login('bob', await world.ticket('bob'));
      equal(heard, []);
      await v2TIMManager.unInitSDK();
    },
  },
  {
    name: 'V2TIM: renewUserSig, getKick, wake and setBackground are the experimental calls',
    async run(world) {
      const { tim } = world;
      const { v2TIMManager } = tim.TencentImSDKPlugin;
      tim.configure({ endpoint: world.endpoint, ...patient });
      await v2TIMManager.initSDK(world.sdkAppID, tim.LogLevelEnum.V2TIM_LOG_NONE);
      await v2TIMManager.login('alice', await world.ticket('alice'));
      const call = (api: string, param?: object) => v2TIMManager.callExperimentalAPI(api, param);
      equal((await call('renewUserSig', { userSig: await world.ticket('alice') })).code, 0);
      equal((await call('renewUserSig', {})).code, tim.Code.InvalidParameters);
      equal(await call('getKick'), { code: 0, desc: 'ok' });
      equal(await call('wake'), { code: 0, desc: 'ok' });
      equal((await call('setBackground', { background: true })).code, 0);
      equal((await call('setBackground', { background: 'yes' })).code, tim.Code.InvalidParameters);
      equal((await call('sendPigeon')).code, tim.Code.NotSupported);
      await world.kick('alice');
      await until(async () => (await call('getKick')).data !== undefined, 'it was kicked');
      equal((await call('getKick')).data.reason, tim.KickReason.RESTAPI);
      await v2TIMManager.unInitSDK();
    },
  },
  {
    name: 'Chat: KICKED_OUT comes before SDK_NOT_READY, and then every call says why it is not ready',
    async run(world) {
      const { tim } = world;
      const { Code, Platform, TencentCloudChat } = tim;
      const { EVENT } = TencentCloudChat;
      tim.configure({ endpoint: world.endpoint, ...patient });
      const chat = TencentCloudChat.create({ SDKAppID: world.sdkAppID });
      const heard: string[] = [];
      for (const name of Object.values(EVENT))
        chat.on(name, (event: any) => heard.push(event.name));
      const why = () =>
        chat.getConversationList().catch((error: { code: number; cause?: { code: number } }) => {
          equal(error.code, Code.NotSupported);
          return error.cause?.code;
        });
      equal(await why(), Code.ChatNotReadyLoggedOut);
      const login = chat.login({ userID: 'alice', userSig: await world.ticket('alice') });
      await until(() => heard.includes(EVENT.NET_STATE_CHANGE), 'it connects');
      await login;
      equal(await why(), undefined);
      await chat.logout();
      equal(await why(), Code.ChatNotReadyLoggedOut);
      await chat
        .login({ userID: 'alice', userSig: await world.ticket('alice', 'forged') })
        .catch(() => {});
      equal(await why(), Code.ChatNotReadyLoginFailed);

      for (const [seconds, end, code] of [
        [
          3600,
          () => world.signInElsewhere('alice', Platform.Web),
          Code.ChatNotReadyMultipleAccount,
        ],
        [2, async () => {}, Code.ChatNotReadyUserSigExpired],
        [3600, () => world.kick('alice'), Code.ChatNotReadyRESTAPI],
      ] as const) {
        await logInFor(world, seconds, 'alice', (userSig) =>
          chat.login({ userID: 'alice', userSig }).then(
            () => 0,
            ({ code }) => code,
          ),
        );
        heard.length = 0;
        await end();
        await until(() => heard.length >= 2, 'the session ended');
        equal(heard, [EVENT.KICKED_OUT, EVENT.SDK_NOT_READY]);
        equal(await why(), code);
      }
      await chat.destroy();
    },
  },
  {
    name: 'Chat: the state of the network is told when it changes, and a logout is no such change',
    async run(world) {
      const { tim } = world;
      const { EVENT, TYPES } = tim.TencentCloudChat;
      tim.configure({ endpoint: world.endpoint, ...patient });
      const chat = tim.TencentCloudChat.create({ SDKAppID: world.sdkAppID });
      const states: string[] = [];
      chat.on(EVENT.NET_STATE_CHANGE, ({ data }) => states.push(data.state));
      await chat.login({ userID: 'alice', userSig: await world.ticket('alice') });
      equal(states.splice(0), [TYPES.NET_STATE_CONNECTING, TYPES.NET_STATE_CONNECTED]);
      await world.cut();
      await until(() => states.includes(TYPES.NET_STATE_DISCONNECTED), 'it is lost');
      equal(chat.isReady(), true);
      await world.heal();
      await until(() => states.includes(TYPES.NET_STATE_CONNECTED), 'it is back');
      states.length = 0;
      await chat.logout();
      equal(states, []);
      await chat.destroy();
    },
  },
];
