import { timingSafeEqual } from 'node:crypto';

import { macOf, seconds, type Ticket } from './claims.js';
import { Code } from './codes.gen.js';
import { UserSigError } from './errors.js';
import { read, type Read } from './read.js';

/** What a ticket is compared with. */
export interface Expected {
  sdkAppID: number;
  userID: string;
  /** The app's secret key; all of them, the newest first, while one replaces another. */
  key: string | readonly string[];
}

/**
 * Returns what a ticket says if it is one of the user, signed for the app with one of its keys, and valid at now. It is
 * valid through the whole second in which it ends, and also before it was signed: clocks differ.
 *
 * Otherwise it throws a {@link UserSigError} with the first of these codes that fits:
 *
 * - `TicketEmpty`: it has no characters
 * - `TicketUnreadable`: it is truncated, altered, too large, or something else: no base64, zlib or JSON
 * - `TicketMalformed`: a member is missing, of the wrong type or out of range
 * - `TicketAppMismatch`: it is for another SDKAppID
 * - `TicketUserMismatch`: it is for another userID
 * - `TicketKeyMissing`: there is no key
 * - `TicketKeyMismatch`: none of the keys signed it
 * - `TicketExpired`: it was good once
 *
 * It reads at most 8 Ki characters, inflates at most 8 KiB, and compares signatures in constant time.
 */
export function verify(ticket: string, expected: Expected, now: Date = new Date()): Ticket {
  const found = read(ticket);
  const { claims } = found;
  if (claims.app !== expected.sdkAppID) {
    const why = `the ticket was signed for SDKAppID ${claims.app}, this is ${expected.sdkAppID}`;
    throw new UserSigError(Code.TicketAppMismatch, why);
  }
  if (claims.user !== expected.userID) {
    const why = `the ticket was signed for user ${JSON.stringify(claims.user)}, not for who logs in`;
    throw new UserSigError(Code.TicketUserMismatch, why);
  }
  checkKey(found, expected.key);
  const late = seconds(now) - (claims.issued + claims.validity);
  if (!(late <= 0)) {
    throw new UserSigError(
      Code.TicketExpired,
      `the ticket expired ${late} s ago by this machine's clock`,
    );
  }
  return {
    sdkAppID: claims.app,
    userID: claims.user,
    issued: new Date(claims.issued * 1000),
    expires: new Date((claims.issued + claims.validity) * 1000),
    ...(claims.userBuf !== '' && {
      userBuf: new Uint8Array(Buffer.from(claims.userBuf, 'base64')),
    }),
  };
}

function checkKey({ claims, mac, hasUserBuf }: Read, key: string | readonly string[]): void {
  const keys = (typeof key === 'string' ? [key] : key).filter((one) => one !== '');
  if (keys.length === 0) {
    throw new UserSigError(
      Code.TicketKeyMissing,
      'the ticket has a signature that cannot be checked',
    );
  }
  // An empty userbuf is none, but some libraries sign a line for it.
  const empty = hasUserBuf && claims.userBuf === '' ? [false, true] : [false];
  const fits = empty.some((line) =>
    keys.some((one) => timingSafeEqual(macOf(claims, one, line), mac)),
  );
  if (!fits)
    throw new UserSigError(Code.TicketKeyMismatch, 'the ticket was signed with another key');
}
