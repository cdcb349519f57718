import { deflateSync } from 'node:zlib';

import { checkUserID, type Claims, limits, macOf, seconds } from './claims.js';
import { Code } from './codes.gen.js';
import { UserSigError } from './errors.js';

/** What a ticket may have besides who, for which app and for how long. */
export interface SignOptions {
  /** When it is signed; it is valid from then on. Default: now. */
  issued?: Date | undefined;
  /** Bytes that it carries, at most 4 KiB. */
  userBuf?: Uint8Array | undefined;
}

/**
 * Returns a ticket (UserSig) for userID. Call it in your backend, for a user who has proved who they are, and hand the
 * text to the app to log in with. Whoever has the key can sign in as anybody: it never leaves the backend.
 *
 * @param sdkAppID the SDKAppID
 * @param key the app's secret key, as text, even where it looks like hex
 * @param userID 1 to 32 printable ASCII characters
 * @param expireSeconds for how long it is valid: from one second to 50 years. A day is a good choice.
 *
 * @throws UserSigError with `Code.TicketKeyMissing` for an empty key, `Code.InvalidUserID`, or `Code.InvalidParameters` for
 * anything else that is missing or out of range
 */
export function sign(
  sdkAppID: number,
  key: string,
  userID: string,
  expireSeconds: number,
  options: SignOptions = {},
): string {
  const { issued = new Date(), userBuf = new Uint8Array() } = options;
  if (typeof key !== 'string' || key === '')
    throw new UserSigError(Code.TicketKeyMissing, 'sign: the key is empty');
  checkUserID(userID);
  whole('sdkAppID', sdkAppID, 1, Number.MAX_SAFE_INTEGER);
  whole('expireSeconds', expireSeconds, 1, limits.validity);
  whole('issued, in seconds,', seconds(issued), 0, Number.MAX_SAFE_INTEGER);
  whole('the length of userBuf', userBuf.length, 0, limits.userBuf);
  return pack(
    {
      app: sdkAppID,
      user: userID,
      issued: seconds(issued),
      validity: expireSeconds,
      userBuf: Buffer.from(userBuf).toString('base64'),
    },
    key,
  );
}

function whole(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new UserSigError(
    Code.InvalidParameters,
    `sign: ${name} must be a whole number from ${least} to ${most}`,
  );
}

function pack(claims: Claims, key: string): string {
  const document = JSON.stringify({
    'TLS.ver': '2.0',
    'TLS.identifier': claims.user,
    'TLS.sdkappid': claims.app,
    'TLS.expire': claims.validity,
    'TLS.time': claims.issued,
    ...(claims.userBuf !== '' && { 'TLS.userbuf': claims.userBuf }),
    'TLS.sig': macOf(claims, key).toString('base64'),
  });
  // Stored, not compressed: that would save a fifth of the text and cost the verifier twice the time.
  return deflateSync(document, { level: 0 })
    .toString('base64')
    .replace(/[+/=]/g, (sign) => ({ '+': '*', '/': '-', '=': '_' })[sign]!);
}
