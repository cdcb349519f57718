// The V2TIM facade: what react-native-tim-js exports, as far as it has to do with being signed in.

import * as check from './check.js';
import { TimClient } from './client.js';
import { Code } from './codes.gen.js';
import { engine } from './engine.js';
import { asTimError, TimError } from './errors.js';
import type { Kick } from './events.js';
import { LogLevel, LogLevelWord, loginStatusV2TIM } from './events.gen.js';
import { guarded } from './host.js';
import { facadeClient, log } from './settings.js';
import { type AbsentCall, absentCall, absentFromV2TIM, absentManager } from './v2tim-absent.js';
import type { LogLevelEnum, LoginStatusEnum, V2TimCallback } from './v2tim-types.js';
import type { V2TimSDKListener, V2TimValueCallback } from './v2tim-types.js';

/** What initSDK has made. */
interface Session {
  readonly sdkAppID: number;
  readonly client: TimClient;
  level: LogLevel;
  kick?: Kick;
}

/** What the original has and tim has not: see {@link absentFromV2TIM}. */
export interface V2TIMManager extends Record<(typeof absentFromV2TIM)[number], AbsentCall> {}

/**
 * Keeps one user signed in; there is one for each app, `TencentImSDKPlugin.v2TIMManager`.
 *
 * Every call resolves with `{code, desc}`, and with `data` if there is any: it never rejects. `code` is 0 or one of
 * {@link Code}: `Code.NotInitialized` before `initSDK` and after `unInitSDK`, `Code.InvalidParameters` with a `desc` that names
 * the argument. What tim does not have resolves with `Code.NotSupported`.
 *
 * The login policies count it as what the device is.
 */
export class V2TIMManager {
  private session: Session | undefined;
  private listener: Partial<V2TimSDKListener> | undefined;
  private readonly listeners = new Set<Partial<V2TimSDKListener>>();

  /**
   * Makes everything ready for a login; nothing connects before it. `configure` says where the server is.
   *
   * Called again for the same SDKAppID, it succeeds and replaces `listener`, by nothing if there is none. For another one it
   * resolves with `Code.InvalidOperation`: call `unInitSDK` first.
   *
   * @param logLevel the least level of lines for the log; a later call can make it quieter, not louder
   * @param listener hears what happens, besides those of `addIMSDKListener`
   */
  initSDK(
    sdkAppID: number,
    logLevel: LogLevelEnum,
    listener?: Partial<V2TimSDKListener>,
  ): Promise<V2TimValueCallback<boolean>> {
    return answer('initSDK', () => {
      const id = check.whole('initSDK', 'sdkAppID', sdkAppID, 1, Number.MAX_SAFE_INTEGER);
      const level = check.oneOf('initSDK', 'logLevel', logLevel, LogLevelWord);
      if (listener !== undefined) check.object('initSDK', 'listener', listener);
      this.session ??= this.open(id, level);
      if (this.session.sdkAppID !== id) {
        const why = `sdkAppID ${this.session.sdkAppID} is initialised: call unInitSDK first`;
        throw new TimError(Code.InvalidOperation, 'initSDK', why);
      }
      this.session.level = level;
      this.listener = listener;
      return true;
    });
  }

  /**
   * Undoes `initSDK`. A login that is under way ends with `Code.Interrupted`. The user is not logged out on the server: call
   * `logout` first for that. The listener of `initSDK` is forgotten, those of `addIMSDKListener` stay.
   */
  unInitSDK(): Promise<V2TimCallback> {
    return this.call('unInitSDK', ({ client }) => {
      this.session = undefined;
      this.listener = undefined;
      return client.close();
    });
  }

  /**
   * Logs a user in. The same user logging in or logged in: it succeeds with the login there is. Another user: that one is
   * logged out first, by itself.
   *
   * Of an expired ticket `code` is `Code.UserSigExpired` (6206) or `Code.TicketExpired` (70001).
   */
  login(userID: string, userSig: string): Promise<V2TimCallback> {
    return this.call('login', async ({ client }) => {
      check.filled('login', 'userSig', userSig);
      await client.login(userID, userSig);
    });
  }

  /** Logs the user out; it does not fail for the network's sake. Nobody logged in: `Code.NotLoggedIn`. */
  logout(): Promise<V2TimCallback> {
    return this.call('logout', ({ client }) => client.logout());
  }

  /** Who is logged in: '' if nobody is. */
  getLoginUser(): Promise<V2TimValueCallback<string>> {
    return this.call('getLoginUser', ({ client }) => client.user);
  }

  /** 0 logged in, 1 logging in, 2 logged out: {@link LoginStatusEnum}. A lost connection does not change it. */
  getLoginStatus(): Promise<V2TimValueCallback<LoginStatusEnum>> {
    return this.call('getLoginStatus', ({ client }) => loginStatusV2TIM[client.status]);
  }

  /** The server's clock, in seconds. Known since the first login; before it, `Code.NotLoggedIn`. */
  getServerTime(): Promise<V2TimValueCallback<number>> {
    return this.call('getServerTime', ({ client }) => {
      const ms = client.serverTimeMs;
      if (ms !== undefined) return Math.floor(ms / 1000);
      throw new TimError(
        Code.NotLoggedIn,
        'getServerTime',
        'the clock is known since the first login',
      );
    });
  }

  /** libtim's version. It needs no `initSDK`. */
  getVersion(): Promise<V2TimValueCallback<string>> {
    return answer('getVersion', () => engine().version());
  }

  /** Adds a listener, before or after `initSDK`. The same one is kept once, and until it is removed. */
  addIMSDKListener(listener: Partial<V2TimSDKListener>): Promise<V2TimCallback> {
    return answer('addIMSDKListener', () => {
      check.object('addIMSDKListener', 'listener', listener);
      this.listeners.add(listener);
    });
  }

  /** Forgets a listener of `addIMSDKListener`. */
  removeIMSDKListener(listener: Partial<V2TimSDKListener>): Promise<V2TimCallback> {
    return answer('removeIMSDKListener', () => void this.listeners.delete(listener));
  }

  /**
   * What tim can do and react-native-tim-js has no call for:
   *
   * - `renewUserSig`, `{userSig}`: gives the running session a fresh ticket, without going offline
   * - `getKick`: why and by whom the user was kicked last, as {@link Kick}; no `data` if nobody was
   * - `wake`: the app came to the foreground or the network changed
   * - `setBackground`, `{background}`: whether the app is in the background
   *
   * Anything else: `Code.NotSupported`.
   */
  callExperimentalAPI(api: string, param: object = {}): Promise<V2TimValueCallback<any>> {
    return this.call('callExperimentalAPI', (session) => {
      const given = check.object('callExperimentalAPI', 'param', param);
      switch (api) {
        case 'renewUserSig':
          return session.client.renew(
            check.filled('renewUserSig', 'param.userSig', given['userSig']),
          );
        case 'getKick':
          return session.kick;
        case 'wake':
          return session.client.wake();
        case 'setBackground':
          return session.client.setBackground(given['background'] as boolean);
      }
      const why = 'api is renewUserSig, getKick, wake or setBackground';
      throw new TimError(Code.NotSupported, 'callExperimentalAPI', why);
    });
  }

  /** Does nothing: tim has no offline push. */
  setAPNSListener(): void {}

  /** A manager all of whose methods resolve with `Code.NotSupported`. */
  readonly getFriendshipManager = manager('getFriendshipManager');
  /** A manager all of whose methods resolve with `Code.NotSupported`. */
  readonly getGroupManager = manager('getGroupManager');
  /** A manager all of whose methods resolve with `Code.NotSupported`. */
  readonly getMessageManager = manager('getMessageManager');
  /** A manager all of whose methods resolve with `Code.NotSupported`. */
  readonly getConversationManager = manager('getConversationManager');
  /** A manager all of whose methods resolve with `Code.NotSupported`. */
  readonly getOfflinePushManager = manager('getOfflinePushManager');
  /** A manager all of whose methods resolve with `Code.NotSupported`. */
  readonly getSignalingManager = manager('getSignalingManager');

  private open(sdkAppID: number, level: LogLevel): Session {
    const client = facadeClient({
      what: 'initSDK',
      folder: `v2tim-${sdkAppID}`,
      endpoint: '',
      client: { sdkAppID, platform: engine().host.platform, logLevel: level },
    });
    const session: Session = { sdkAppID, client, level };
    const tell = <M extends keyof V2TimSDKListener>(
      member: M,
      ...args: Parameters<V2TimSDKListener[M]>
    ) => {
      if (this.session !== session) return; // after unInitSDK
      for (const listener of [this.listener, ...this.listeners]) {
        const method: unknown = listener?.[member];
        if (typeof method === 'function') guarded(() => method.apply(listener, args));
      }
    };
    client.on('connecting', () => tell('onConnecting'));
    client.on('connected', () => tell('onConnectSuccess'));
    client.on('disconnected', ({ code, text }) => {
      if (code !== Code.OK) tell('onConnectFailed', code, text);
    });
    client.on('kickedOffline', (kick) => {
      session.kick = kick;
      tell('onKickedOffline');
    });
    client.on('userSigExpired', () => tell('onUserSigExpired'));
    client.on('log', ({ level, line }) => log(session.level, level, line));
    client.on('closed', () => {
      if (this.session === session) this.session = undefined; // tim closed it by mistake: initSDK makes another
    });
    return session;
  }

  private call<T>(
    what: string,
    run: (session: Session) => T,
  ): Promise<V2TimValueCallback<Awaited<T>>> {
    return answer(what, () => {
      if (this.session !== undefined) return run(this.session);
      throw new TimError(Code.NotInitialized, what, 'call initSDK first');
    });
  }
}

for (const name of absentFromV2TIM) V2TIMManager.prototype[name] = absentCall(name);

/** What `react-native-tim-js` exports. */
export class TencentImSDKPlugin {
  /** The one manager of the app. */
  static readonly v2TIMManager = new V2TIMManager();
}

/** Runs a call and puts how it ended into the envelope. */
async function answer<T>(what: string, run: () => T): Promise<V2TimValueCallback<Awaited<T>>> {
  try {
    const data = await run();
    return { code: Code.OK, desc: 'ok', ...(data !== undefined && { data }) };
  } catch (thrown) {
    const { code, message } = asTimError(thrown, what);
    return { code, desc: message };
  }
}

function manager(name: string): () => ReturnType<typeof absentManager> {
  const absent = absentManager(name);
  return () => absent;
}
