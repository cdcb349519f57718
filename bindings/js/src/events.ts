import type { EventItem } from './engine.js';
import type { TimError } from './errors.js';
import {
  EventKind,
  type KickReason,
  type LogLevel,
  type LoginStatus,
  type Platform,
} from './events.gen.js';

/** What a client tells, by the name to give to `on`. Events come one at a time, in this order: what changed, then results. */
export interface TimEvents {
  /** A connection is being made. */
  connecting: void;
  /** The user is signed in over a live connection: for the first time, or again because the session came `resumed`. */
  connected: { resumed: boolean };
  /** The connection is gone: lost, and the client comes back by itself, or not needed any more (`Code.OK`). */
  disconnected: Reason;
  /** The login status changed. */
  loginStatus: LoginStatus;
  /** A user is logged in, or is not any more. A lost connection does not change it. */
  ready: boolean;
  /** The server ended the session. The client never logs in again by itself. */
  kickedOffline: Kick;
  /** The ticket ends soon, and there is no ticket provider: call `renew`. `at` is by the server's clock. */
  userSigWillExpire: { at: Date };
  /** The ticket ended, and with it the session: log in with a new one. */
  userSigExpired: Reason;
  /** The ticket provider threw, rejected, or returned no ticket. It is asked again later. */
  ticketProviderFailed: TimError;
  /** A line for the log, without tickets and keys. */
  log: { level: LogLevel; line: string };
  /** The client is closed: by `close` (`Code.OK`), or because of a mistake in tim (`Code.Internal`). Nothing comes after it. */
  closed: Reason;
}

/** Why something happened: a code, and words for a log. */
export interface Reason {
  readonly code: number;
  readonly text: string;
}

/** Why and by whom a session was ended. */
export interface Kick extends Reason {
  /** Missing if `code` says it all, such as for a banned account. */
  readonly reason?: KickReason;
  /** The newcomer's platform, if there is a newcomer. */
  readonly byPlatform?: Platform;
  /** What the newcomer's device is called, or ''. */
  readonly byLabel: string;
  /** When, by the server's clock, if that is known. */
  readonly at?: Date;
}

/** An event with its payload. */
export type TimEvent = { [K in keyof TimEvents]: readonly [K, TimEvents[K]] }[keyof TimEvents];

/** Every event's name. */
export const eventNames: Readonly<Record<keyof TimEvents, true>> = {
  connecting: true,
  connected: true,
  disconnected: true,
  loginStatus: true,
  ready: true,
  kickedOffline: true,
  userSigWillExpire: true,
  userSigExpired: true,
  ticketProviderFailed: true,
  log: true,
  closed: true,
};

/** Puts what an addon delivers into the words of the client. A kind that a newer libtim tells is nothing. */
export function toEvent(item: EventItem): TimEvent | undefined {
  switch (item.kind) {
    case EventKind.Connecting:
      return ['connecting', undefined];
    case EventKind.Connected:
      return ['connected', { resumed: item.resumed }];
    case EventKind.Disconnected:
      return ['disconnected', reason(item)];
    case EventKind.LoginStatus:
      return ['loginStatus', item.loginStatus];
    case EventKind.Ready:
      return ['ready', item.ready];
    case EventKind.KickedOffline:
      return ['kickedOffline', kick(item)];
    case EventKind.UserSigWillExpire:
      return ['userSigWillExpire', { at: new Date(item.atMs) }];
    case EventKind.UserSigExpired:
      return ['userSigExpired', reason(item)];
    case EventKind.Closed:
      return ['closed', reason(item)];
    default:
      return undefined;
  }
}

function reason(item: EventItem): Reason {
  return { code: item.code, text: item.text };
}

function kick(item: EventItem): Kick {
  return {
    ...reason(item),
    byLabel: item.byLabel,
    ...(item.kickReason !== 0 && { reason: item.kickReason }),
    ...(item.byPlatform !== 0 && { byPlatform: item.byPlatform }),
    ...(item.atMs !== 0 && { at: new Date(item.atMs) }),
  };
}
