// The Chat facade: what @tencentcloud/chat exports, as far as it has to do with being signed in.

import * as check from './check.js';
import { type AbsentFromChat, absentFromChat } from './chat-absent.js';
import { notReadyAfter, toChatError } from './chat-codes.js';
import * as constants from './chat-constants.js';
import type { ChatEvent, ChatEvents, ChatLoginData, ChatLoginOptions } from './chat-types.js';
import type { CreateOptions, ImResponse, KickedOutType, NetState } from './chat-types.js';
import type { TimClient } from './client.js';
import { Code } from './codes.gen.js';
import { Emitter } from './emitter.js';
import { asTimError, TimError } from './errors.js';
import { kickReasonChat, LogLevel, LoginStatus, Platform } from './events.gen.js';
import { facadeClient, log } from './settings.js';
import { VERSION } from './version.gen.js';

const { EVENT, TYPES, TSignaling } = constants;

/** The log level for each number that setLogLevel takes. */
const LOG_LEVELS = [LogLevel.Debug, LogLevel.Info, LogLevel.Warn, LogLevel.Error, LogLevel.None];

const instances = new Map<number, ChatSDK>();

/** What the original has and tim has not: see {@link absentFromChat}. */
export interface ChatSDK extends AbsentFromChat {}

/**
 * Keeps one user signed in. `TencentCloudChat.create` makes it, one for each SDKAppID.
 *
 * Promises reject with a {@link TimError}. Its `code` is the one that @tencentcloud/chat has, such as
 * `Code.ChatNetworkTimeout`, and its `cause` then says more. What tim does not have rejects, too: with `Code.NotSupported`,
 * whose `cause`, while nobody is logged in, says why not, such as `Code.ChatNotReadyLoggedOut`; the event ERROR tells of it.
 * Such a rejection may be ignored: it does not count as unhandled.
 *
 * The login policies count it as web, wherever it runs.
 */
export class ChatSDK {
  private readonly emitter = new Emitter();
  private client: TimClient | undefined;
  private destroying: Promise<void> | undefined;
  /** Why it is not ready, while it is not. */
  private notReady: number = Code.ChatNotReadyLoggedOut;
  private netState: NetState = TYPES.NET_STATE_CONNECTED;
  private logLevel: LogLevel = LogLevel.Warn;

  /** @internal */
  constructor(
    private readonly sdkAppID: number,
    private readonly endpoint: string,
  ) {}

  /**
   * Logs a user in. SDK_READY is told before the promise resolves.
   *
   * The same user logging in: both calls get the one answer. The same user logged in: `data.repeatLogin` is true. Another user
   * logging in or logged in: that one is logged out first, by itself.
   *
   * Rejects with `Code.ChatNoUserID`, `Code.ChatNoUserSig`, or why the login failed, such as `Code.TicketExpired` (70001).
   */
  async login(options: ChatLoginOptions): Promise<ImResponse<ChatLoginData>> {
    return this.answer('login', async () => {
      this.mustExist('login');
      const { userID, userSig } = this.read(options);
      this.client ??= this.connect();
      const { repeatLogin } = await this.client.login(userID, userSig);
      const data: ChatLoginData = { actionStatus: 'OK', errorCode: Code.OK, errorInfo: '' };
      if (!repeatLogin) return data;
      return { ...data, errorInfo: `${userID} is logged in already`, repeatLogin };
    });
  }

  /**
   * Logs the user out; SDK_NOT_READY tells of it. It does not fail for the network's sake. The handlers stay.
   *
   * Rejects with `Code.ChatNotLoggedIn` if nobody is logged in or logging in.
   */
  async logout(): Promise<void & ImResponse<{}>> {
    const answer = await this.answer('logout', async () => {
      this.mustExist('logout');
      if (this.client === undefined) throw new TimError(Code.NotLoggedIn, 'logout');
      this.notReady = Code.ChatNotReadyLoggedOut;
      await this.client.logout();
      return {};
    });
    return answer as void & ImResponse<{}>;
  }

  /** Who is logged in, or ''. */
  getLoginUser(): string {
    return this.client?.user ?? '';
  }

  /** The server's clock, in milliseconds. It is known since the first login, also when nobody is logged in; 0 before. */
  getServerTime(): number {
    return this.client?.serverTimeMs ?? 0;
  }

  /** Whether a user is logged in. A lost connection does not change it. */
  isReady(): boolean {
    return this.client?.ready ?? false;
  }

  /**
   * Logs out, if somebody is logged in, and ends the instance: the next `create` makes another. It resolves in any case; calls
   * on the old instance reject with `Code.ChatNotReady`. SDK_DESTROY is the last event.
   */
  async destroy(): Promise<void & ImResponse<{}>> {
    this.destroying ??= this.end();
    await this.destroying;
    return { code: Code.OK, data: {} } as void & ImResponse<{}>;
  }

  /**
   * Calls handler at each event of a name, with context as `this`. The same handler is kept once. What it throws goes to the
   * host as an uncaught exception and disturbs nobody else.
   */
  on<K extends keyof ChatEvents>(
    eventName: K,
    handler: (event: ChatEvent<K, ChatEvents[K]>) => void,
    context?: any,
  ): void;
  on(eventName: string, handler: Function, context?: any): void;
  on(eventName: string, handler: Function, context?: any): void {
    this.listen('on', eventName, handler, context);
  }

  /** Calls handler at the next event of a name only. */
  once<K extends keyof ChatEvents>(
    eventName: K,
    handler: (event: ChatEvent<K, ChatEvents[K]>) => void,
    context?: any,
  ): void;
  once(eventName: string, handler: Function, context?: any): void;
  once(eventName: string, handler: Function, context?: any): void {
    this.listen('once', eventName, handler, context);
  }

  /** Forgets a handler, whatever its context. */
  off(eventName: string, handler: Function, _context?: any): void {
    this.emitter.remove(eventName, handler);
  }

  /** Does nothing but say so in the log: tim has no plugins. */
  registerPlugin(_options: Object): void {
    this.write(LogLevel.Info, 'registerPlugin: tim has no plugins; nothing was registered');
  }

  /**
   * Which lines go to the log: 0 all, 1 information, 2 warnings and errors, 3 errors, 4 none. 2 is what counts if it is not
   * called. 0 brings lines of the engine only if it is called before the first login.
   *
   * @throws TimError with `Code.InvalidParameters` for anything else
   */
  setLogLevel(level: number): void {
    check.whole('setLogLevel', 'level', level, 0, LOG_LEVELS.length - 1);
    this.logLevel = LOG_LEVELS[level] ?? LogLevel.None;
  }

  /** @internal Refuses what a second `create` asks for and cannot be done. */
  mustBeAt(endpoint: string): void {
    if (endpoint === '' || endpoint === this.endpoint) return;
    const why = `proxyServer is another one than that of SDKAppID ${this.sdkAppID}: destroy it first`;
    throw new TimError(Code.ChatInvalidOperation, 'create', why);
  }

  /** @internal Answers a call that tim does not have. */
  refuse(name: string): Promise<never> {
    const reason = this.destroying ? Code.ChatNotReady : this.notReady;
    const cause = this.isReady() ? undefined : new TimError(reason, name);
    const why = 'tim keeps users signed in; it has no messages, groups or profiles yet';
    const error = new TimError(Code.NotSupported, name, why, cause);
    this.tell(EVENT.ERROR, error);
    const refusal = Promise.reject(error);
    refusal.catch(() => {}); // the original answers some of these calls at once: nobody would look at a promise
    return refusal;
  }

  private listen(what: 'on' | 'once', eventName: string, handler: Function, context: any): void {
    check.text(what, 'eventName', eventName);
    check.callable(what, 'handler', handler);
    this.emitter.add(eventName, handler, what === 'once', context);
  }

  private read(options: ChatLoginOptions): ChatLoginOptions {
    if (!options) throw new TimError(Code.ChatNoOptions, 'login');
    const { userID, userSig } = options;
    if (!userID) throw new TimError(Code.ChatNoUserID, 'login');
    if (!userSig) throw new TimError(Code.ChatNoUserSig, 'login');
    check.text('login', 'userID', userID);
    check.text('login', 'userSig', userSig);
    return options;
  }

  private connect(): TimClient {
    const client = facadeClient({
      what: 'login',
      folder: `chat-${this.sdkAppID}`,
      endpoint: this.endpoint,
      client: {
        sdkAppID: this.sdkAppID,
        platform: Platform.Web,
        logLevel: this.logLevel === LogLevel.Debug ? LogLevel.Debug : LogLevel.Info,
      },
    });
    client.on('connecting', () => this.tellNetState(TYPES.NET_STATE_CONNECTING));
    client.on('connected', () => this.tellNetState(TYPES.NET_STATE_CONNECTED));
    client.on('disconnected', ({ code }) => {
      if (code !== Code.OK) this.tellNetState(TYPES.NET_STATE_DISCONNECTED);
      else this.netState = TYPES.NET_STATE_CONNECTED; // nobody needs it: that is no news of the network
    });
    client.on('loginStatus', (status) => this.noteStatus(status));
    client.on('kickedOffline', (kick) => {
      this.notReady = notReadyAfter(kick);
      this.tellKick(kick.reason ? kickReasonChat[kick.reason] : TYPES.KICKED_OUT_REST_API);
    });
    client.on('userSigExpired', () => {
      this.notReady = Code.ChatNotReadyUserSigExpired;
      this.tellKick(TYPES.KICKED_OUT_USERSIG_EXPIRED);
    });
    client.on('ready', (ready) =>
      this.tell(ready ? EVENT.SDK_READY : EVENT.SDK_NOT_READY, undefined),
    );
    client.on('log', ({ level, line }) => this.write(level, line));
    client.on('closed', () => (this.client = undefined)); // if tim closed it by mistake, the next login makes another
    return client;
  }

  /** Keeps why the instance is not ready. A logout and a kick have said why before the status tells of them. */
  private noteStatus(status: LoginStatus): void {
    if (status === LoginStatus.LoggingIn) this.notReady = Code.ChatNotReadyLoggingIn;
    else if (status === LoginStatus.LoggedIn) this.notReady = Code.ChatNotReadyLoggedOut;
    else if (this.notReady === Code.ChatNotReadyLoggingIn)
      this.notReady = Code.ChatNotReadyLoginFailed;
  }

  private tellNetState(state: NetState): void {
    if (state === this.netState) return;
    this.netState = state;
    this.tell(EVENT.NET_STATE_CHANGE, { state });
  }

  private tellKick(type: KickedOutType): void {
    this.tell(EVENT.KICKED_OUT, { type });
  }

  private tell<K extends keyof ChatEvents>(name: K, data: ChatEvents[K]): void {
    this.emitter.emit(name, { name, data });
  }

  private write(level: LogLevel, line: string): void {
    log(this.logLevel, level, line);
  }

  private async end(): Promise<void> {
    if (instances.get(this.sdkAppID) === this) instances.delete(this.sdkAppID);
    await this.client?.logout().catch(() => {}); // nobody is logged in: nothing to do
    await this.client?.close();
    this.tell(EVENT.SDK_DESTROY, undefined);
    this.emitter.clear();
  }

  private mustExist(what: string): void {
    if (this.destroying === undefined) return;
    const why = 'this instance is destroyed: call TencentCloudChat.create again';
    throw new TimError(Code.ChatNotReady, what, why);
  }

  private async answer<T>(what: string, run: () => Promise<T>): Promise<ImResponse<T>> {
    try {
      return { code: Code.OK, data: await run() };
    } catch (thrown) {
      throw toChatError(asTimError(thrown, what));
    }
  }
}

for (const name of absentFromChat) {
  ChatSDK.prototype[name] = function (this: ChatSDK) {
    return this.refuse(name);
  };
}

/**
 * Returns the instance of an SDKAppID, and makes it if there is none.
 *
 * If the SDKAppID is no number the reason is written to the console and, as with the original, the result is null.
 *
 * @throws TimError with `Code.InvalidParameters` if `proxyServer` is no string, and with `Code.ChatInvalidOperation` if the
 * instance exists and has another one
 */
function create(options: CreateOptions): ChatSDK {
  const { SDKAppID, proxyServer }: Partial<CreateOptions> = Object(options);
  const sdkAppID = typeof SDKAppID === 'string' ? parseInt(SDKAppID, 10) : SDKAppID;
  if (typeof sdkAppID !== 'number' || !(sdkAppID > 0)) {
    const { message } = new TimError(Code.ChatNoSDKAppID, 'create', 'SDKAppID must be a number');
    log(LogLevel.Error, LogLevel.Error, message);
    return null as unknown as ChatSDK;
  }
  const endpoint = check.text('create', 'proxyServer', proxyServer ?? '');
  const made = instances.get(sdkAppID) ?? new ChatSDK(sdkAppID, endpoint);
  made.mustBeAt(endpoint);
  instances.set(sdkAppID, made);
  return made;
}

/** What `@tencentcloud/chat` exports as its default. */
export const TencentCloudChat = { create, EVENT, TYPES, TSignaling, VERSION };

/** The constants as types, as in `let type: TencentCloudChat.TYPES`. */
export declare namespace TencentCloudChat {
  type EVENT = (typeof constants.EVENT)[keyof typeof constants.EVENT];
  type TYPES = (typeof constants.TYPES)[keyof typeof constants.TYPES];
  type TSignaling = (typeof constants.TSignaling)[keyof typeof constants.TSignaling];
}
