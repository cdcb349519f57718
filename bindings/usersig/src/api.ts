import { privateMapKey, type Room } from './room.js';
import { sign } from './sign.js';

/**
 * The class of the package tls-sig-api-v2, so that a backend moves by changing a dependency. New code calls {@link sign}.
 *
 * Numbers may be strings of digits, as there. What cannot be signed throws a UserSigError, where the original signed it all the
 * same.
 */
export class Api {
  readonly sdkappid: number;
  readonly #key: string;

  constructor(sdkappid: number | string, key: string) {
    this.sdkappid = Number(sdkappid);
    this.#key = key;
  }

  /** Signs a ticket for userid that is valid for expire seconds. */
  genUserSig(userid: string | number, expire: number | string): string {
    return sign(this.sdkappid, this.#key, String(userid), Number(expire));
  }

  /** Signs a PrivateMapKey for a room with a number. */
  genPrivateMapKey(
    userid: string | number,
    expire: number | string,
    roomid: number | string,
    privilegeMap: number,
  ): string {
    return this.#forRoom(userid, expire, { id: Number(roomid), may: Number(privilegeMap) });
  }

  /** Signs a PrivateMapKey for a room with a name. */
  genPrivateMapKeyWithStringRoomID(
    userid: string | number,
    expire: number | string,
    roomstr: string,
    privilegeMap: number,
  ): string {
    return this.#forRoom(userid, expire, { name: String(roomstr), may: Number(privilegeMap) });
  }

  #forRoom(userid: string | number, expire: number | string, room: Room): string {
    const issued = new Date();
    const expires = new Date(issued.getTime() + Number(expire) * 1000);
    const userBuf = privateMapKey(this.sdkappid, String(userid), expires, room);
    return sign(this.sdkappid, this.#key, String(userid), Number(expire), { issued, userBuf });
  }
}
