// The border between the TypeScript that all bindings share and an addon. An addon is include/tim.h in JavaScript: it
// converts and hops threads. What needs deciding is decided above it, here, or below it, in libtim.

import { Code } from './codes.gen.js';
import { TimError } from './errors.js';
import type { EventKind, KickReason, LogLevel, LoginStatus, Platform } from './events.gen.js';

/**
 * What an addon implements.
 *
 * Errors are codes: a method that returns a number returns 0 or one of `Code`. Nothing throws, except `version` and
 * `create` where the addon cannot be loaded: then a TimError that says what to do.
 *
 * Every string that is handed in is well-formed, without NUL, and has at most 64 Ki code units.
 */
export interface Engine {
  /** What the binding knows of the device it runs on. Reading it does not load the addon. */
  readonly host: Host;

  /** libtim's version (tim_version). */
  version(): string;

  /**
   * Makes a client (tim_client_new, tim_set_event_callback), or returns why it cannot be made.
   *
   * All that happens to the client comes through `deliver`, in libtim's order: each batch in a turn of the event loop of its
   * own, so that promise jobs run before the next; from 1 to 1,000 items in it; never from inside a call of this
   * interface. `deliver` does not throw. The event `Closed` is the last item; after it the addon lets go of `deliver`.
   * Nothing is delivered to an environment that is being torn down.
   */
  create(config: EngineConfig, deliver: (items: readonly Item[]) => void): EngineClient | number;
}

/** What a binding knows of its device. Empty strings say nothing. */
export interface Host {
  /** What the device itself is. */
  readonly platform: Platform;
  /** Name and version of the binding, such as `tim-node/0.1.0`. */
  readonly sdk: string;
  /** What a person calls this device, at most 64 bytes. */
  readonly label: string;
  /** A folder of this app that lasts: clients keep the identity of the installation in folders below it. */
  readonly dataDir: string;
  /** The endpoint that the environment names (`TIM_ENDPOINT`), for apps that configure none. */
  readonly endpoint: string;
}

/** tim_config. Every member is there; '' and 0 mean what NULL and 0 mean there. */
export interface EngineConfig {
  readonly platform: Platform;
  readonly sdkAppID: number;
  readonly url: string;
  readonly dataDir: string;
  readonly instance: string;
  readonly label: string;
  readonly sdk: string;
  readonly caPem: string;
  readonly loginTimeoutMs: number;
  readonly logoutTimeoutMs: number;
  readonly allowInsecure: boolean;
  readonly background: boolean;
  readonly logLevel: LogLevel;
  /** Whether questions for a ticket are answered (tim_config.ticket_provider). */
  readonly ticketProvider: boolean;
}

/**
 * A client. Calls are numbered by whoever makes them: `request` is unique for the client, and comes back in the one
 * ResultItem that answers the call if the call returned 0. A call that returned a code is not answered.
 */
export interface EngineClient {
  login(request: number, userID: string, ticket: string): number;
  logout(request: number): number;
  renew(request: number, ticket: string): number;
  /** Answers a TicketItem; '' means that there is no ticket now. */
  provideTicket(request: number, ticket: string): number;
  wake(): number;
  setBackground(background: boolean): number;
  /**
   * Ends the client (tim_client_free). What is pending is answered, then comes `Closed`. Every later call returns a code, the
   * getters say that nobody is logged in. Calling it again is harmless, also after libtim closed the client itself.
   */
  close(): number;

  // Getters are plain calls. They are never behind what was delivered, but may be ahead of it.

  /** tim_get_login_status; LoggedOut after close. */
  status(): LoginStatus;
  /** tim_is_ready */
  ready(): boolean;
  /** tim_get_login_user; '' if nobody is logged in. */
  user(): string;
  /** tim_get_server_time; 0 if it is not known yet. */
  serverTimeMs(): number;

  /**
   * Keep the process alive, or do not, where that can be chosen. A new client does not. Calls do not add up. When to do which
   * is decided above.
   */
  ref?(): void;
  unref?(): void;
}

/** What comes through `deliver`. Objects of one type have all members, in any order; the addon does not keep them. */
export type Item = EventItem | ResultItem | TicketItem | LogItem;

/** tim_event: `kind` says which members mean something, the others are 0, false or ''. */
export interface EventItem {
  readonly type: 'event';
  readonly kind: EventKind;
  readonly loginStatus: LoginStatus;
  readonly ready: boolean;
  readonly resumed: boolean;
  readonly code: number;
  readonly kickReason: KickReason | 0;
  readonly byPlatform: Platform | 0;
  readonly atMs: number;
  readonly byLabel: string;
  readonly text: string;
}

/** tim_result */
export interface ResultItem {
  readonly type: 'result';
  readonly request: number;
  readonly code: number;
  readonly repeatLogin: boolean;
  readonly ticketExpiresMs: number;
  readonly session: string;
  readonly text: string;
}

/** A question of tim_ticket_fn. Its request has nothing to do with those of calls. */
export interface TicketItem {
  readonly type: 'ticket';
  readonly request: number;
  readonly userID: string;
}

/** A line of tim_log_fn. */
export interface LogItem {
  readonly type: 'log';
  readonly level: LogLevel;
  readonly line: string;
}

let installed: Engine | undefined;

/** Says which addon everything here runs on. The package that has one calls this first; the last call counts. */
export function installEngine(engine: Engine): void {
  installed = engine;
}

/** The installed engine. */
export function engine(): Engine {
  if (installed === undefined) {
    const why = 'no engine is installed: import @opentim/node or @opentim/react-native instead';
    throw new TimError(Code.NotInitialized, 'tim', why);
  }
  return installed;
}
