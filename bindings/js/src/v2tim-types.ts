// The words of react-native-tim-js that have to do with being signed in.

import { LogLevel, LoginStatus, loginStatusV2TIM } from './events.gen.js';

/** How a call ended: `code` 0, or why not, and in words. */
export interface V2TimCallback {
  code: number;
  desc: string;
}

/** The same, with what was asked for. `data` is missing if the call failed. */
export interface V2TimValueCallback<T> {
  code: number;
  desc: string;
  data?: T;
}

/** The least level of the lines that `initSDK` writes to the log. */
export const LogLevelEnum = {
  V2TIM_LOG_NONE: LogLevel.None,
  V2TIM_LOG_DEBUG: LogLevel.Debug,
  V2TIM_LOG_INFO: LogLevel.Info,
  V2TIM_LOG_WARN: LogLevel.Warn,
  V2TIM_LOG_ERROR: LogLevel.Error,
} as const;
export type LogLevelEnum = (typeof LogLevelEnum)[keyof typeof LogLevelEnum];

/** What `getLoginStatus` answers: as the documentation has it, 0, 1 and 2. */
export const LoginStatusEnum = {
  V2TIM_STATUS_LOGINED: loginStatusV2TIM[LoginStatus.LoggedIn],
  V2TIM_STATUS_LOGINING: loginStatusV2TIM[LoginStatus.LoggingIn],
  V2TIM_STATUS_LOGOUT: loginStatusV2TIM[LoginStatus.LoggedOut],
} as const;
export type LoginStatusEnum = (typeof LoginStatusEnum)[keyof typeof LoginStatusEnum];

/** A user's profile. tim has none yet. */
export interface V2TimUserFullInfo {
  userID?: string;
  nickName?: string;
  faceUrl?: string;
  selfSignature?: string;
  gender?: number;
  allowType?: number;
  customInfo?: object;
  role?: number;
  level?: number;
  birthday?: number;
}

/** Whether a user is online. tim tells no other users' status yet. */
export interface V2TimUserStatus {
  userID?: string;
  statusType?: number;
  customStatus?: string;
}

/** Hears what happens. Members that a listener does not have are skipped. */
export interface V2TimSDKListener {
  /** A connection is being made: from the first `login` on, not from `initSDK`. */
  onConnecting: () => void;
  /** The user is signed in over a live connection. */
  onConnectSuccess: () => void;
  /** The connection was lost or could not be made. It comes back by itself. */
  onConnectFailed: (code: number, error: string) => void;
  /** The server ended the session, because of another device or of an administrator. Nobody is logged in any more. */
  onKickedOffline: () => void;
  /** The ticket ended. Nobody is logged in any more: log in with a new one. */
  onUserSigExpired: () => void;
  /** Never called: tim has no profiles yet. */
  onSelfInfoUpdated: (info: V2TimUserFullInfo) => void;
  /** Never called: tim tells no users' status yet. */
  onUserStatusChanged: (userStatusList: V2TimUserStatus[]) => void;
}
