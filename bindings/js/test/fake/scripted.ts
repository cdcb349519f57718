import { Code, EventKind, LoginStatus, Platform } from '../../src/index.js';
import type {
  Engine,
  EngineClient,
  EngineConfig,
  EventItem,
  Item,
  ResultItem,
} from '../../src/engine.js';

/** An engine that does nothing by itself: a test reads what was called and says what is delivered. */
export class ScriptedEngine implements Engine {
  host = {
    platform: Platform.Mac as Platform,
    sdk: 'tim-scripted/1',
    label: 'desk',
    dataDir: '',
    endpoint: '',
  };
  /** What create answers, if it makes no client. */
  refusal: number = Code.OK;
  /** What create throws, as where an addon cannot be loaded. */
  failure: Error | undefined;
  readonly clients: ScriptedClient[] = [];

  version(): string {
    return '9.9.9';
  }

  create(config: EngineConfig, deliver: (items: readonly Item[]) => void): EngineClient | number {
    if (this.failure !== undefined) throw this.failure;
    if (this.refusal !== Code.OK) return this.refusal;
    const client = new ScriptedClient(config, deliver);
    this.clients.push(client);
    return client;
  }

  /** The client that was made last. */
  get client(): ScriptedClient {
    return this.clients[this.clients.length - 1]!;
  }
}

export class ScriptedClient implements EngineClient {
  /** Every call, as its name and what it was given. */
  readonly calls: unknown[][] = [];
  /** What the next calls answer. */
  code: number = Code.OK;
  current: LoginStatus = LoginStatus.LoggedOut;
  who = '';
  clock = 0;
  referenced = false;

  constructor(
    readonly config: EngineConfig,
    readonly deliver: (items: readonly Item[]) => void,
  ) {}

  /** Lets the engine be logged in as somebody. */
  be(who: string): void {
    this.who = who;
    this.current = who === '' ? LoginStatus.LoggedOut : LoginStatus.LoggedIn;
  }

  login = (...given: [number, string, string]) => this.call('login', ...given);
  logout = (request: number) => this.call('logout', request);
  renew = (...given: [number, string]) => this.call('renew', ...given);
  provideTicket = (...given: [number, string]) => this.call('provideTicket', ...given);
  wake = () => this.call('wake');
  setBackground = (background: boolean) => this.call('setBackground', background);
  close = () => this.call('close');
  status = () => this.current;
  ready = () => this.current === LoginStatus.LoggedIn;
  user = () => this.who;
  serverTimeMs = () => this.clock;
  ref = () => void (this.referenced = true);
  unref = () => void (this.referenced = false);

  private call(...what: unknown[]): number {
    this.calls.push(what);
    return this.code;
  }
}

export function event(kind: EventKind, more: Partial<EventItem> = {}): EventItem {
  return {
    type: 'event',
    kind,
    loginStatus: LoginStatus.LoggedOut,
    ready: false,
    resumed: false,
    code: Code.OK,
    kickReason: 0,
    byPlatform: 0,
    atMs: 0,
    byLabel: '',
    text: '',
    ...more,
  };
}

export function result(
  request: number,
  code: number = Code.OK,
  more: Partial<ResultItem> = {},
): ResultItem {
  return {
    type: 'result',
    request,
    code,
    repeatLogin: false,
    ticketExpiresMs: 0,
    session: '',
    text: '',
    ...more,
  };
}

/**
 * Lets what is under way have its turns, up to ten that follow from one another. Timers of one length come in the order in which
 * they were made, so it does not matter how late all of them are.
 */
export async function turn(): Promise<void> {
  for (let turns = 0; turns < 10; turns++) await new Promise((resolve) => setTimeout(resolve, 0));
}
