// The three faces in the same words, so that what holds for all of them is told once.

import type { TimOptions } from '../../src/index.js';
import { patient, type Story, type World } from '../world.js';

/** How a call ended: the code that this face has for it, and whether it was a repeated login. */
export interface Outcome {
  code: number;
  repeat?: boolean;
  message?: string;
}

/** A client seen through a face. */
export interface Seen {
  login(userID: string, ticket: string): Promise<Outcome>;
  logout(): Promise<Outcome>;
  user(): Promise<string>;
  /** undefined where the face has no word for it. */
  status(): Promise<'logged in' | 'logging in' | 'logged out' | undefined>;
  /** In milliseconds; undefined while it is not known. */
  serverTime(): Promise<number | undefined>;
  /** What was told, in this order, as far as the face tells it: connecting, connected, lost, kicked, expired, ready, not ready. */
  readonly heard: string[];
  /** Ends the client, without a logout where the face can do that. */
  close(): Promise<void>;
}

export interface Face {
  readonly name: 'TimClient' | 'V2TIM' | 'Chat';
  open(world: World, options?: Partial<TimOptions>): Promise<Seen>;
}

const timClient: Face = {
  name: 'TimClient',
  async open({ tim, endpoint, sdkAppID }, options = {}) {
    const client = new tim.TimClient({ endpoint, sdkAppID, ...options });
    const heard: string[] = [];
    client.on('connecting', () => heard.push('connecting'));
    client.on('connected', () => heard.push('connected'));
    client.on('disconnected', ({ code }) => code !== tim.Code.OK && heard.push('lost'));
    client.on('kickedOffline', () => heard.push('kicked'));
    client.on('userSigExpired', () => heard.push('expired'));
    client.on('ready', (ready) => heard.push(ready ? 'ready' : 'not ready'));
    return {
      heard,
      login: (userID, ticket) =>
        settled(client.login(userID, ticket), ({ repeatLogin }) => ({ repeat: repeatLogin })),
      logout: () => settled(client.logout()),
      user: async () => client.user,
      status: async () => (['logged out', 'logging in', 'logged in'] as const)[client.status],
      serverTime: async () => client.serverTimeMs,
      close: () => client.close(),
    };
  },
};

const v2tim: Face = {
  name: 'V2TIM',
  async open({ tim, endpoint, sdkAppID }, options = {}) {
    const { v2TIMManager } = tim.TencentImSDKPlugin;
    const heard: string[] = [];
    tim.configure({ endpoint, ...options });
    await v2TIMManager.initSDK(sdkAppID, tim.LogLevelEnum.V2TIM_LOG_NONE, {
      onConnecting: () => heard.push('connecting'),
      onConnectSuccess: () => heard.push('connected'),
      onConnectFailed: () => heard.push('lost'),
      onKickedOffline: () => heard.push('kicked'),
      onUserSigExpired: () => heard.push('expired'),
      onSelfInfoUpdated: () => {},
      onUserStatusChanged: () => {},
    });
    return {
      heard,
      login: (userID, ticket) => v2TIMManager.login(userID, ticket).then(outcome),
      logout: () => v2TIMManager.logout().then(outcome),
      user: async () => (await v2TIMManager.getLoginUser()).data ?? '',
      status: async () => {
        const { data } = await v2TIMManager.getLoginStatus();
        return (['logged in', 'logging in', 'logged out'] as const)[data ?? 2];
      },
      serverTime: async () => {
        const { data } = await v2TIMManager.getServerTime();
        return data === undefined ? undefined : data * 1000;
      },
      close: async () => void (await v2TIMManager.unInitSDK()),
    };
  },
};

const chat: Face = {
  name: 'Chat',
  async open({ tim, endpoint, sdkAppID }, options = {}) {
    const { TencentCloudChat } = tim;
    tim.configure({ endpoint, ...options });
    const chat = TencentCloudChat.create({ SDKAppID: sdkAppID });
    const heard: string[] = [];
    const { EVENT, TYPES } = TencentCloudChat;
    chat.on(EVENT.SDK_READY, () => heard.push('ready'));
    chat.on(EVENT.SDK_NOT_READY, () => heard.push('not ready'));
    chat.on(EVENT.KICKED_OUT, ({ data }) =>
      heard.push(data.type === TYPES.KICKED_OUT_USERSIG_EXPIRED ? 'expired' : 'kicked'),
    );
    chat.on(EVENT.NET_STATE_CHANGE, ({ data }) =>
      heard.push(data.state === TYPES.NET_STATE_DISCONNECTED ? 'lost' : data.state),
    );
    return {
      heard,
      login: (userID, userSig) =>
        settled(chat.login({ userID, userSig }), ({ data }) => ({
          repeat: data.repeatLogin ?? false,
        })),
      logout: () => settled(chat.logout()),
      user: async () => chat.getLoginUser(),
      status: async () => (chat.isReady() ? 'logged in' : undefined),
      serverTime: async () => chat.getServerTime() || undefined,
      close: async () => void (await chat.destroy()),
    };
  },
};

const faces: readonly Face[] = [timClient, v2tim, chat];

/** What an app may rely on whatever face it uses. */
export interface Row {
  readonly name: string;
  readonly options?: Partial<TimOptions>;
  run(world: World, client: Seen, face: Face): Promise<void>;
}

/** Each row with a client of each face, which is closed at the end. */
export function throughEachFace(rows: readonly Row[]): Story[] {
  return faces.flatMap((face) =>
    rows.map(({ name, options, run }) => ({
      name: `${face.name}: ${name}`,
      async run(world: World) {
        const client = await face.open(world, { ...patient, ...options });
        try {
          await run(world, client, face);
        } finally {
          await client.close();
        }
      },
    })),
  );
}

function outcome({ code, desc }: { code: number; desc: string }): Outcome {
  return { code, message: desc };
}

async function settled<T>(
  promise: Promise<T>,
  more: (value: T) => object = () => ({}),
): Promise<Outcome> {
  try {
    return { code: 0, ...more(await promise) };
  } catch (error) {
    const { code, message } = error as Outcome & Error;
    return { code, message };
  }
}
