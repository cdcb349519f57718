import { Code, EventKind, KickReason, LogLevel, LoginStatus, Platform } from '../../src/index.js';
import type {
  Engine,
  EngineClient,
  EngineConfig,
  EventItem,
  Item,
  ResultItem,
} from '../../src/engine.js';
import { FakeServer, SECOND_MS, type Session } from './server.js';

type Deliver = (items: readonly Item[]) => void;

/** An engine that keeps the contract of engine.ts and the table of calls of libtim, over servers in memory. */
export class FakeEngine implements Engine {
  readonly clients: FakeClient[] = [];
  readonly host = {
    platform: Platform.Linux as Platform,
    sdk: 'tim-fake/0.1.0',
    label: 'a test',
    dataDir: '',
    endpoint: '',
  };

  version(): string {
    return '0.1.0';
  }

  create(config: EngineConfig, deliver: Deliver): EngineClient | number {
    const secure = /^(wss:\/\/[^/]|ws:\/\/(127\.0\.0\.1|localhost)\b)/;
    const allowed = config.allowInsecure ? /^wss?:\/\/[^/]/ : secure;
    if (!allowed.test(config.url)) return Code.InvalidParameters;
    const client = new FakeClient(config, deliver);
    this.clients.push(client);
    return client;
  }
}

/** What there is of a user who is logging in or logged in. */
interface State {
  readonly user: string;
  ticket: string;
  loggedIn: boolean;
  expiresMs: number;
  readonly waiting: number[];
}

const nothing: Omit<EventItem, 'kind'> = {
  type: 'event',
  loginStatus: LoginStatus.LoggedOut,
  ready: false,
  resumed: false,
  code: Code.OK,
  kickReason: 0,
  byPlatform: 0,
  atMs: 0,
  byLabel: '',
  text: '',
};

/** One client. Steps stand for libtim's own thread: each is a turn of its own, and what it tells comes in a later one. */
export class FakeClient implements EngineClient, Session {
  readonly platform: Platform;
  referenced = false;
  private state: State | undefined;
  private connection: 'none' | 'connecting' | 'connected' = 'none';
  private attempt = 0;
  private clockKnown = false;
  private over = false;
  private asked = 0;
  private questions = 0;
  private out: Item[] = [];
  private readonly spent = new Set<string>();

  constructor(
    readonly config: EngineConfig,
    private readonly deliver: Deliver,
  ) {
    this.platform = config.platform;
  }

  login(request: number, userID: string, ticket: string): number {
    if (this.over) return Code.NotInitialized;
    if (userID === '' || userID.length > 32 || ticket === '') return Code.InvalidParameters;
    if (/[^ -~]/.test(userID)) return Code.InvalidUserID;
    this.step(() => this.onLogin(request, userID, ticket));
    return Code.OK;
  }

  logout(request: number): number {
    if (this.over) return Code.NotInitialized;
    this.step(() => {
      if (this.state === undefined) return this.answer(request, Code.NotLoggedIn);
      this.end(Code.LoggedOutBeforeLoginFinished);
      const wait = this.server?.reachable ? 0 : this.config.logoutTimeoutMs || 5000;
      this.after(wait, () => this.answer(request, Code.OK));
    });
    return Code.OK;
  }

  renew(request: number, ticket: string): number {
    if (this.over) return Code.NotInitialized;
    if (ticket === '') return Code.InvalidParameters;
    this.step(() => this.answer(request, this.onRenew(ticket)));
    return Code.OK;
  }

  provideTicket(request: number, ticket: string): number {
    if (request !== this.asked) return Code.InvalidOperation;
    this.asked = 0;
    if (ticket !== '') this.step(() => void this.onRenew(ticket));
    return Code.OK;
  }

  wake(): number {
    return this.over ? Code.NotInitialized : Code.OK;
  }

  setBackground(): number {
    return this.over ? Code.NotInitialized : Code.OK;
  }

  close(): number {
    if (this.over) return Code.NotInitialized;
    this.step(() => {
      this.end(Code.Interrupted);
      this.tell(EventKind.Closed);
    });
    this.over = true;
    return Code.OK;
  }

  status(): LoginStatus {
    if (this.over || this.state === undefined) return LoginStatus.LoggedOut;
    return this.state.loggedIn ? LoginStatus.LoggedIn : LoginStatus.LoggingIn;
  }

  ready(): boolean {
    return this.status() === LoginStatus.LoggedIn;
  }

  user(): string {
    return this.ready() ? this.state!.user : '';
  }

  serverTimeMs(): number {
    return this.clockKnown ? Date.now() : 0;
  }

  ref(): void {
    this.referenced = true;
  }

  unref(): void {
    this.referenced = false;
  }

  // ---- what the server does ----

  kicked(kickReason: KickReason, byPlatform: Platform | 0, byLabel: string): void {
    this.step(() => {
      const kick = { kickReason, byPlatform, byLabel, atMs: Date.now() };
      this.tell(EventKind.KickedOffline, { ...kick, code: Code.KickedOffline, text: 'kicked' });
      this.end(Code.KickedOffline);
    });
  }

  disconnected(): void {
    this.step(() => this.lose());
  }

  // ---- the engine ----

  private get server(): FakeServer | undefined {
    return FakeServer.all.get(this.config.url);
  }

  private onLogin(request: number, user: string, ticket: string): void {
    if (this.spent.has(ticket)) return this.answer(request, Code.UserSigExpired);
    if (this.state !== undefined && this.state.user !== user)
      this.end(Code.LoggedOutBeforeLoginFinished);
    if (this.state?.loggedIn) {
      this.answer(request, Code.OK, { repeatLogin: true });
      return void this.onRenew(ticket);
    }
    this.after(this.config.loginTimeoutMs || 15000, () => this.late(request));
    if (this.state !== undefined) {
      this.state.waiting.push(request);
      if (this.state.ticket === ticket) return;
      this.state.ticket = ticket;
      return this.dial();
    }
    this.state = { user, ticket, loggedIn: false, expiresMs: 0, waiting: [request] };
    this.tell(EventKind.LoginStatus, { loginStatus: LoginStatus.LoggingIn });
    this.write(LogLevel.Info, `login user=${user} ticket=(${ticket.length} characters)`);
    this.dial();
  }

  private dial(): void {
    if (this.connection !== 'connecting') this.tell(EventKind.Connecting);
    this.connection = 'connecting';
    const attempt = ++this.attempt;
    this.after(1, () => {
      if (attempt === this.attempt && this.state !== undefined) this.reach(this.state);
    });
  }

  private reach(state: State): void {
    if (!this.server?.reachable) return this.lose();
    const { code, expiresMs } = this.server.admit(this, state.user, state.ticket);
    if (code === Code.TicketExpired) this.spent.add(state.ticket);
    if (code !== Code.OK) return state.loggedIn ? this.expire() : this.end(code);
    const resumed = state.loggedIn;
    state.loggedIn = true;
    this.clockKnown = true;
    this.connection = 'connected';
    this.tell(EventKind.Connected, { resumed });
    if (resumed) return;
    this.watch(state, expiresMs);
    this.tell(EventKind.LoginStatus, { loginStatus: LoginStatus.LoggedIn });
    this.tell(EventKind.Ready, { ready: true });
    for (const request of state.waiting.splice(0)) {
      this.answer(request, Code.OK, { session: 'session-1', ticketExpiresMs: expiresMs });
    }
  }

  private lose(): void {
    if (this.state === undefined || this.connection === 'none') return;
    this.connection = 'none';
    const attempt = ++this.attempt;
    this.tell(EventKind.Disconnected, { code: Code.ConnectRefused, text: 'connection refused' });
    this.after(20, () => {
      if (attempt === this.attempt && this.state !== undefined) this.dial();
    });
  }

  /** Ends the session, whatever it is; logins that wait get the code. */
  private end(code: number): void {
    const { state } = this;
    if (state === undefined) return;
    this.server?.release(this, state.user);
    this.state = undefined;
    this.asked = 0;
    this.attempt++;
    this.tell(EventKind.LoginStatus, { loginStatus: LoginStatus.LoggedOut });
    if (state.loggedIn) this.tell(EventKind.Ready, { ready: false });
    if (this.connection !== 'none') this.tell(EventKind.Disconnected);
    this.connection = 'none';
    for (const request of state.waiting) this.answer(request, code);
  }

  /** A login that is pending still has waited long enough. */
  private late(request: number): void {
    const waiting = this.state?.waiting;
    if (!waiting?.includes(request)) return;
    if (waiting.length === 1) return this.end(Code.ConnectRefused);
    waiting.splice(waiting.indexOf(request), 1);
    this.answer(request, Code.ConnectRefused);
  }

  private onRenew(ticket: string): number {
    if (this.state === undefined) return Code.NotLoggedIn;
    if (this.spent.has(ticket)) return Code.UserSigExpired;
    const { code, expiresMs } = this.server!.verify(this.state.user, ticket);
    if (code === Code.TicketExpired) this.spent.add(ticket);
    if (code !== Code.OK) return code;
    this.state.ticket = ticket;
    this.watch(this.state, expiresMs);
    return code;
  }

  /** Asks for a ticket when four fifths of the time are over, and ends the session at its end. */
  private watch(state: State, expiresMs: number): void {
    state.expiresMs = expiresMs;
    const left = expiresMs - Date.now();
    if (left > 60 * SECOND_MS) return;
    const current = () => this.state === state && state.expiresMs === expiresMs;
    this.after(left * 0.8, () => current() && this.ask(state));
    this.after(left + 1, () => current() && this.expire());
  }

  private ask(state: State): void {
    if (!this.config.ticketProvider)
      return this.tell(EventKind.UserSigWillExpire, { atMs: state.expiresMs });
    this.asked = ++this.questions;
    this.out.push({ type: 'ticket', request: this.asked, userID: state.user });
  }

  private expire(): void {
    this.tell(EventKind.UserSigExpired, {
      code: Code.TicketExpired,
      text: 'the ticket is expired',
    });
    this.end(Code.TicketExpired);
  }

  // ---- turns ----

  private step(work: () => void): void {
    this.after(0, work);
  }

  private after(ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      if (this.out.length === 0) setTimeout(() => this.flush(), 0);
      work();
    }, ms);
    if (ms >= 1000) timer.unref?.(); // a deadline that nothing comes of; browsers have no unref
  }

  private flush(): void {
    const items = this.out;
    this.out = [];
    if (items.length > 0) this.deliver(items);
  }

  private tell(kind: EventKind, more: Partial<EventItem> = {}): void {
    this.out.push({ ...nothing, ...more, kind });
  }

  private answer(request: number, code: number, more: Partial<ResultItem> = {}): void {
    const text = code === Code.OK ? '' : 'said the server';
    this.out.push({
      type: 'result',
      request,
      code,
      repeatLogin: false,
      ticketExpiresMs: 0,
      session: '',
      text,
      ...more,
    });
  }

  private write(level: LogLevel, line: string): void {
    if (this.config.logLevel !== LogLevel.None && level >= this.config.logLevel) {
      this.out.push({ type: 'log', level, line });
    }
  }
}
