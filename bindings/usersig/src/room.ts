import { checkUserID, limits, seconds } from './claims.js';
import { Code } from './codes.gen.js';
import { UserSigError } from './errors.js';

/** What a user may do in a TRTC room; add up what is permitted. Screen is the auxiliary stream. */
export const Privilege = {
  Create: 1,
  Enter: 2,
  SendAudio: 4,
  ReceiveAudio: 8,
  SendVideo: 16,
  ReceiveVideo: 32,
  SendScreen: 64,
  ReceiveScreen: 128,
  All: 255,
} as const;

/** One TRTC room, by its number or its name, and what may be done there. */
export type Room = { readonly may: number } & (
  | { readonly id: number; readonly name?: undefined }
  | { readonly name: string; readonly id?: undefined }
);

const MAX_UINT32 = 2 ** 32 - 1;

/**
 * Returns the userbuf that lets a user use a room until expires. Sign it into a ticket of the same app and user that ends then:
 * the text is what TRTC calls a PrivateMapKey.
 *
 * @throws UserSigError with `Code.InvalidUserID`, or `Code.InvalidParameters` if the room has neither a number nor a name or
 * has both, if it permits nothing, or if a number does not fit the 32 bits that this format has
 */
export function privateMapKey(
  sdkAppID: number,
  userID: string,
  expires: Date,
  room: Room,
): Uint8Array {
  checkUserID(userID);
  const id = room.id ?? 0;
  const name = Buffer.from(room.name ?? '', 'utf8');
  if ((id === 0) === (name.length === 0) || name.length > limits.userBuf / 2) {
    throw new UserSigError(
      Code.InvalidParameters,
      'privateMapKey: a room has either an id or a name',
    );
  }
  uint32('sdkAppID', sdkAppID, 1);
  uint32('room.id', id, 0);
  uint32('expires, in seconds,', seconds(expires), 1);
  uint32('room.may', room.may, 1);
  // Everything is big-endian, strings come after their length in 16 bits.
  const numbers = [sdkAppID, id, seconds(expires), room.may, 0]; // the last is the account type
  const parts = [
    Buffer.from([name.length > 0 ? 1 : 0]),
    counted(Buffer.from(userID)),
    ...numbers.map(big),
  ];
  if (name.length > 0) parts.push(counted(name));
  return new Uint8Array(Buffer.concat(parts));
}

function uint32(what: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least && value <= MAX_UINT32) return;
  throw new UserSigError(
    Code.InvalidParameters,
    `privateMapKey: ${what} must be a whole number from ${least} to ${MAX_UINT32}`,
  );
}

function big(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function counted(bytes: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
