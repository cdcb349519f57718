/// <reference lib="esnext.disposable" preserve="true" />
import { Calls, canceled } from './calls.js';
import * as check from './check.js';
import { Code } from './codes.gen.js';
import {
  engine,
  type EngineClient,
  type EngineConfig,
  type EventItem,
  type Item,
  type ResultItem,
  type TicketItem,
} from './engine.js';
import { Emitter } from './emitter.js';
import { TimError, wordsOf } from './errors.js';
import { eventNames, toEvent, type TimEvents } from './events.js';
import { EventKind, LoginStatus } from './events.gen.js';
import { type AbortSignalLike, asyncDisposeOf } from './host.js';
import { Inbox } from './inbox.js';
import { toConfig, type TicketProvider, type TimOptions } from './options.js';

const asyncDispose: typeof Symbol.asyncDispose = asyncDisposeOf(Symbol) as never;

/** How a login succeeded. */
export interface LoginResult {
  /** The user was logged in already, and nothing was sent. */
  readonly repeatLogin: boolean;
  /** Names the session on the server, for support. */
  readonly session: string;
  /** When the ticket ends, by the server's clock, if the server said so. */
  readonly ticketExpires?: Date;
}

/** What a login can be given besides who and with what. */
export interface LoginOptions {
  /** Gives the login up when it is aborted. */
  signal?: AbortSignalLike | undefined;
}

// What to look at if libtim calls an argument invalid: it gives a code only.
const ENDPOINT = 'endpoint must be wss://host[:port], or ws:// to this very machine';
const USER_ID = 'userID must have 1 to 32 printable ASCII characters';
const TICKET = 'ticket must have at most 16 KiB';

/**
 * Keeps one user signed in.
 *
 * ```ts
 * const client = new TimClient({ endpoint: 'wss://tim.example.com', sdkAppID: 1400000001 });
 * client.on('kickedOffline', (kick) => showLogin(kick.text));
 * await client.login('alice', ticket);
 * ```
 *
 * Methods that return a promise reject with a {@link TimError} and never throw. A promise is settled after the events that
 * led to its result, and before any later event is told. Listeners may call anything; what one throws goes to the host as
 * an uncaught exception and disturbs nobody else.
 *
 * In Node the process stays alive while a call is pending or a user is logged in; see {@link TimClient.unref}.
 */
export class TimClient {
  private readonly native: EngineClient;
  private readonly provider: TicketProvider | undefined;
  private readonly calls = new Calls();
  private readonly emitter = new Emitter();
  private readonly inbox = new Inbox((item) => this.take(item));

  /** The logins whose answer is awaited. */
  private readonly logins = new Set<number>();
  /** A login was handed over and nothing was heard of it yet. */
  private starting = false;
  /** An abandoned login that must not leave anybody logged in, should it turn out not to be a repeated one. */
  private unwanted = 0;

  private closing: Promise<void> | undefined;
  private finish: () => void = () => {};
  private closed = false;
  private referenced = true;
  private held = false;

  /**
   * Makes a client. Nothing connects before the first login.
   *
   * @throws TimError with `Code.InvalidParameters`, naming the option that is missing or impossible, or with
   * `Code.LocalIOFailed` if `dataDir` cannot be used
   */
  constructor(options: TimOptions) {
    const what = 'new TimClient';
    const config = toConfig(what, options, engine().host);
    this.provider = options.ticketProvider;
    const made = engine().create(config, (items) => this.inbox.push(items));
    if (typeof made === 'number') throw new TimError(made, what, whyNotMade(made, config));
    this.native = made;
  }

  /**
   * Logs a user in with a ticket (UserSig) and waits for the answer, at most `loginTimeoutMs`. Connections that fail are tried
   * again within it; a refusal is not.
   *
   * - The same user is logging in: both calls get the one answer, and the newer ticket counts.
   * - The same user is logged in: it succeeds at once, with `repeatLogin`; a newer ticket is passed on in the background.
   * - Another user is logging in or logged in: that ends first.
   *
   * When `signal` is aborted the promise rejects with `Code.Canceled`: an `AbortError` whose `cause` is the signal's reason.
   * If nobody else waits for the login, it ends too, and nobody is logged in.
   *
   * Rejects with `Code.InvalidParameters` or `Code.InvalidUserID` for arguments; with the server's code; with the network's
   * code of the last failure; with `Code.UserSigExpired`, without any traffic, for a ticket that is known to have expired; with
   * `Code.LoggedOutBeforeLoginFinished` after a `logout` or another user's `login`; with `Code.Interrupted` after `close`; with
   * `Code.NotInitialized` if the client was closed before.
   */
  async login(userID: string, ticket: string, options: LoginOptions = {}): Promise<LoginResult> {
    this.mustBeOpen('login');
    check.filled('login', 'userID', userID);
    check.filled('login', 'ticket', ticket);
    const { signal } = check.object('login', 'options', options) as LoginOptions;
    if (signal !== undefined) check.abortSignal('login', 'options.signal', signal);
    const named = /^[ -~]{1,32}$/.test(userID);
    const what = named ? `login ${userID}` : 'login'; // anything else is perhaps the ticket
    if (signal?.aborted) throw canceled(what, signal.reason);

    let request = 0;
    const repeats = this.native.user() === userID;
    const abort = () => this.abandon(request, repeats, signal?.reason);
    signal?.addEventListener('abort', abort);
    try {
      const send = (number: number) => this.native.login(number, userID, ticket);
      const call = this.calls.start(what, send, named ? TICKET : USER_ID);
      request = call.request;
      this.logins.add(request);
      this.starting = true;
      this.unwanted = 0;
      this.hold();
      return toLoginResult(await call.answer);
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /**
   * Logs the user out: here at once, on the server as soon as it can be told. It resolves when the server has confirmed it, or
   * after `logoutTimeoutMs`: a logout does not fail for the network's sake.
   *
   * Rejects with `Code.NotLoggedIn` if nobody is logged in or logging in, `Code.Interrupted`, `Code.NotInitialized`.
   */
  async logout(): Promise<void> {
    this.mustBeOpen('logout');
    const { answer } = this.calls.start('logout', (request) => this.native.logout(request));
    this.hold();
    await answer;
  }

  /**
   * Gives the running session a fresh ticket, without going offline. If the server refuses it, the session goes on with the
   * old one.
   *
   * Rejects with `Code.NotLoggedIn`, `Code.InvalidParameters`, the server's or the network's code, `Code.UserSigExpired` for a
   * ticket that is known to have expired, `Code.Interrupted`, `Code.NotInitialized`.
   */
  async renew(ticket: string): Promise<void> {
    this.mustBeOpen('renew');
    check.filled('renew', 'ticket', ticket);
    const send = (request: number) => this.native.renew(request, ticket);
    const { answer } = this.calls.start('renew', send, TICKET);
    this.hold();
    await answer;
  }

  /**
   * Says that the app came to the foreground or that the network changed: the connection is checked, or made again now instead
   * of later.
   *
   * @throws TimError with `Code.NotInitialized` after `close`
   */
  wake(): void {
    this.mustBeOpen('wake');
    this.native.wake();
  }

  /**
   * Says whether the app is in the background, where the client tries to come back less often.
   *
   * @throws TimError with `Code.NotInitialized` after `close`, `Code.InvalidParameters`
   */
  setBackground(background: boolean): void {
    this.mustBeOpen('setBackground');
    this.native.setBackground(check.flag('setBackground', 'background', background));
  }

  /**
   * Ends the client and resolves when `closed` was told, the last event. What is pending rejects with `Code.Interrupted`. The
   * session stays on the server for its grace period: call `logout` first if the user is to appear offline at once.
   */
  close(): Promise<void> {
    if (this.closing === undefined) {
      this.closing = new Promise((resolve) => (this.finish = resolve));
      this.native.close();
      this.hold();
    }
    return this.closing;
  }

  /** Logs out, if somebody is logged in, and closes: `await using client = new TimClient(…)`. */
  async [asyncDispose](): Promise<void> {
    await this.logout().catch(() => {}); // nobody is logged in, or the client is closed: nothing to do
    await this.close();
  }

  /** Whether somebody is logged in. A lost connection does not change it. */
  get status(): LoginStatus {
    const status = this.native.status();
    const early = this.starting && this.closing === undefined && status === LoginStatus.LoggedOut;
    return early ? LoginStatus.LoggingIn : status;
  }

  /** Whether a user is logged in. */
  get ready(): boolean {
    return this.native.ready();
  }

  /** Who is logged in, or ''. */
  get user(): string {
    return this.native.user();
  }

  /** The server's clock, in milliseconds since 1970: known since the first login, also while offline; `undefined` before. */
  get serverTimeMs(): number | undefined {
    return this.native.serverTimeMs() || undefined;
  }

  /**
   * Calls listener at each event of a kind. Listeners are called in the order in which they were added; the same one is kept
   * once.
   *
   * @throws TimError with `Code.InvalidParameters` for an event that there is not
   */
  on<K extends keyof TimEvents>(event: K, listener: (payload: TimEvents[K]) => void): this {
    return this.listen('on', event, listener, false);
  }

  /** Calls listener at the next event of a kind only. */
  once<K extends keyof TimEvents>(event: K, listener: (payload: TimEvents[K]) => void): this {
    return this.listen('once', event, listener, true);
  }

  /** Forgets a listener: it is not called any more. */
  off<K extends keyof TimEvents>(event: K, listener: (payload: TimEvents[K]) => void): this {
    this.emitter.remove(event, listener);
    return this;
  }

  /** Keeps the process alive while a user is logged in, as it is from the start. Only Node has a process to keep. */
  ref(): this {
    this.referenced = true;
    this.hold();
    return this;
  }

  /** Lets the process end while a user is logged in. Pending calls keep it alive all the same. */
  unref(): this {
    this.referenced = false;
    this.hold();
    return this;
  }

  private listen(what: string, event: keyof TimEvents, listener: Function, once: boolean): this {
    const known =
      typeof event === 'string' && Object.prototype.hasOwnProperty.call(eventNames, event);
    if (!known) {
      const names = Object.keys(eventNames).join(', ');
      throw new TimError(Code.InvalidParameters, what, `event must be one of ${names}`);
    }
    this.emitter.add(event, check.callable(what, 'listener', listener), once);
    return this;
  }

  private mustBeOpen(what: string): void {
    if (this.closing === undefined) return;
    throw new TimError(Code.NotInitialized, what, 'the client is closed');
  }

  /** Everything that libtim tells comes through here, in order. */
  private take(item: Item): void {
    switch (item.type) {
      case 'event':
        return this.takeEvent(item);
      case 'result':
        return this.takeResult(item);
      case 'ticket':
        return void this.provide(item);
      case 'log':
        return this.emitter.emit('log', { level: item.level, line: item.line });
    }
  }

  private takeEvent(item: EventItem): void {
    if (item.kind === EventKind.LoginStatus) this.starting = false;
    if (item.kind === EventKind.Closed) {
      void this.close(); // libtim may have closed by itself: its client is to be freed all the same
      this.closed = true;
      this.finish();
    }
    const event = toEvent(item);
    if (event !== undefined) this.emitter.emit(event[0], event[1]);
    this.hold();
  }

  private takeResult(item: ResultItem): void {
    if (this.logins.delete(item.request) || item.request === this.unwanted) this.starting = false;
    if (item.request === this.unwanted && item.code === Code.OK && !item.repeatLogin) this.end();
    this.calls.settle(item);
    this.hold();
  }

  private async provide(item: TicketItem): Promise<void> {
    let ticket = '';
    try {
      ticket = check.filled(
        'ticketProvider',
        'what it returns',
        await this.provider?.(item.userID),
      );
    } catch (thrown) {
      this.emitter.emit('ticketProviderFailed', providerError(thrown));
    }
    this.native.provideTicket(item.request, ticket);
  }

  /** Takes a login back that the app does not want any more. */
  private abandon(request: number, repeats: boolean, reason: unknown): void {
    if (!this.calls.abandon(request, reason)) return;
    this.logins.delete(request);
    if (this.logins.size === 0) {
      if (repeats) this.unwanted = request;
      else this.end();
    }
    this.hold();
  }

  /** Ends whatever login there is, for nobody. */
  private end(): void {
    this.unwanted = 0;
    if (this.closing === undefined) this.logout().catch(() => {}); // nobody is logged in: that is what we want
  }

  /** Keeps the process alive for as long as it must be. */
  private hold(): void {
    const closing = this.closing !== undefined && !this.closed;
    const online = this.referenced && this.native.status() !== LoginStatus.LoggedOut;
    const hold = this.calls.pending || closing || (online && !this.closed);
    if (hold === this.held) return;
    this.held = hold;
    if (hold) this.native.ref?.();
    else this.native.unref?.();
  }
}

function whyNotMade(code: number, { dataDir, allowInsecure, caPem }: EngineConfig) {
  if (code === Code.LocalIOFailed)
    return `dataDir ${JSON.stringify(dataDir)} cannot be read or written`;
  if (code !== Code.InvalidParameters) return undefined;
  const endpoint = allowInsecure ? 'endpoint must be wss:// or ws://host[:port]' : ENDPOINT;
  return caPem === '' ? endpoint : `${endpoint}; or caPem has no certificate`;
}

function toLoginResult(item: ResultItem): LoginResult {
  return {
    repeatLogin: item.repeatLogin,
    session: item.session,
    ...(item.ticketExpiresMs !== 0 && { ticketExpires: new Date(item.ticketExpiresMs) }),
  };
}

function providerError(thrown: unknown): TimError {
  if (thrown instanceof TimError) return thrown;
  return new TimError(Code.InvalidParameters, 'ticketProvider', wordsOf(thrown), thrown);
}
