// The shapes of @tencentcloud/chat that have to do with being signed in.

import type { EVENT, TYPES } from './chat-constants.js';
import type { TimError } from './errors.js';

/** What `TencentCloudChat.create` takes. */
export interface CreateOptions {
  /** The SDKAppID; a string of digits will do. */
  SDKAppID: number;
  /** The server, `wss://host[:port]`, instead of the one of `configure`. */
  proxyServer?: String | undefined;
  /** Not used: tim transfers no files. */
  fileUploadProxy?: String | undefined;
  /** Not used: tim transfers no files. */
  fileDownloadProxy?: String | undefined;
  /** Not used. */
  scene?: String | undefined;
}

/** What `login` takes. */
export interface ChatLoginOptions {
  userID: string;
  /** A ticket that your own backend made. */
  userSig: string;
}

/** What a promise resolves with. */
export interface ImResponse<T> {
  /** Always 0: a call that fails rejects. */
  code: number;
  data: T;
}

/** The data of a login that succeeded. */
export interface ChatLoginData {
  actionStatus: 'OK';
  /** Always 0. */
  errorCode: number;
  /** In words, if `repeatLogin` is true; else ''. */
  errorInfo: string;
  /** True if the user was logged in already; else missing. */
  repeatLogin?: boolean;
  [more: string]: any;
}

/** What a handler is given. */
export interface ChatEvent<Name extends string, Data> {
  name: Name;
  data: Data;
}

/** The data of each event that tim tells, by the event's name. */
export interface ChatEvents {
  [EVENT.SDK_READY]: undefined;
  [EVENT.SDK_NOT_READY]: undefined;
  [EVENT.KICKED_OUT]: { type: KickedOutType };
  [EVENT.NET_STATE_CHANGE]: { state: NetState };
  /** A call was refused because tim does not have it. */
  [EVENT.ERROR]: TimError;
  [EVENT.SDK_DESTROY]: undefined;
}

/** Why the server ended a session. */
export type KickedOutType =
  | typeof TYPES.KICKED_OUT_MULT_ACCOUNT
  | typeof TYPES.KICKED_OUT_MULT_DEVICE
  | typeof TYPES.KICKED_OUT_USERSIG_EXPIRED
  | typeof TYPES.KICKED_OUT_REST_API;

/** The state of the connection. */
export type NetState =
  | typeof TYPES.NET_STATE_CONNECTED
  | typeof TYPES.NET_STATE_CONNECTING
  | typeof TYPES.NET_STATE_DISCONNECTED;
