// What is in a ticket, in the form in which it is written and signed.

import { createHmac } from 'node:crypto';

import { Code } from './codes.gen.js';
import { UserSigError } from './errors.js';

/** Limits of what is signed and read, the same as those of tim's server. */
export const limits = {
  /** Bytes of a userID. */
  userID: 32,
  /** Bytes of a userbuf that is signed. */
  userBuf: 4 << 10,
  /** Seconds: 50 years, the longest life that a ticket is given. */
  validity: 50 * 365 * 24 * 3600,
  /** Characters of a ticket that are read. */
  text: 8 << 10,
  /** Bytes of JSON inside: the most that a ticket can make us inflate. */
  document: 8 << 10,
  /** Members, objects and arrays in the JSON. */
  parts: 256,
} as const;

/** The members of a ticket's JSON, but for its version and signature. `userBuf` is base64, as written. */
export interface Claims {
  readonly app: number;
  readonly user: string;
  readonly issued: number;
  readonly validity: number;
  readonly userBuf: string;
}

/** What a ticket says. */
export interface Ticket {
  readonly sdkAppID: number;
  /** 1 to 32 printable ASCII characters. */
  readonly userID: string;
  /** In whole seconds. */
  readonly issued: Date;
  /** In whole seconds. The whole second that it names is still valid. */
  readonly expires: Date;
  /** Signed, but meaningless to a login. TRTC keeps room permissions in it: see {@link privateMapKey}. */
  readonly userBuf?: Uint8Array;
}

/** Fails with `Code.InvalidUserID` unless userID is 1 to 32 printable ASCII characters. A newline in a userID would let one
 * signature fit two different tickets. */
export function checkUserID(userID: unknown): asserts userID is string {
  if (typeof userID !== 'string' || userID === '')
    throw new UserSigError(Code.InvalidUserID, 'userID is empty');
  if (userID.length > limits.userID) {
    throw new UserSigError(
      Code.InvalidUserID,
      `userID has ${userID.length} characters, more than ${limits.userID}`,
    );
  }
  if (/[^ -~]/.test(userID))
    throw new UserSigError(Code.InvalidUserID, 'userID has a character outside printable ASCII');
}

/** The HMAC-SHA256 of the string that is signed, under a key that is used as the text it is. */
export function macOf(claims: Claims, key: string, emptyUserBuf = false): Buffer {
  const lines = [
    `TLS.identifier:${claims.user}`,
    `TLS.sdkappid:${claims.app}`,
    `TLS.time:${claims.issued}`,
    `TLS.expire:${claims.validity}`,
  ];
  if (claims.userBuf !== '' || emptyUserBuf) lines.push(`TLS.userbuf:${claims.userBuf}`);
  return createHmac('sha256', key)
    .update(`${lines.join('\n')}\n`)
    .digest();
}

export function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}
