// What react-native-tim-js 0.1.10 declares of being signed in. The package is not on npm any more; this was written from its
// public documentation.

export declare enum LogLevelEnum {
  V2TIM_LOG_NONE = 0,
  V2TIM_LOG_DEBUG = 3,
  V2TIM_LOG_INFO = 4,
  V2TIM_LOG_WARN = 5,
  V2TIM_LOG_ERROR = 6,
}

export interface V2TimCallback {
  code: number;
  desc: string;
}

export interface V2TimValueCallback<T> {
  code: number;
  desc: string;
  data?: T;
}

export interface V2TimUserFullInfo {
  userID?: string;
}

export interface V2TimUserStatus {
  userID?: string;
  statusType?: number;
  customStatus?: string;
}

export interface V2TimSDKListener {
  onConnecting: () => void;
  onConnectSuccess: () => void;
  onConnectFailed: (code: number, error: string) => void;
  onKickedOffline: () => void;
  onUserSigExpired: () => void;
  onSelfInfoUpdated: (info: V2TimUserFullInfo) => void;
  onUserStatusChanged: (userStatusList: V2TimUserStatus[]) => void;
}

export declare class V2TIMManager {
  initSDK(
    sdkAppID: number,
    logLevel: LogLevelEnum,
    listener?: V2TimSDKListener,
  ): Promise<V2TimValueCallback<boolean>>;
  unInitSDK(): Promise<V2TimCallback>;
  login(userID: string, userSig: string): Promise<V2TimCallback>;
  logout(): Promise<V2TimCallback>;
  getLoginUser(): Promise<V2TimValueCallback<string>>;
  getLoginStatus(): Promise<V2TimValueCallback<number>>;
  getServerTime(): Promise<V2TimValueCallback<number>>;
  getVersion(): Promise<V2TimValueCallback<string>>;
  callExperimentalAPI(api: string, param?: Object): Promise<V2TimValueCallback<Object>>;
  setSelfStatus(status: string): Promise<V2TimCallback>;
  getUserStatus(userIDList: string[]): Promise<V2TimValueCallback<V2TimUserStatus[]>>;
  subscribeUserStatus(userIDList: String[]): Promise<V2TimCallback>;
  unsubscribeUserStatus(userIDList: String[]): Promise<V2TimCallback>;
  setAPNSListener(): void;
}

export declare class TencentImSDKPlugin {
  static v2TIMManager: V2TIMManager;
}
