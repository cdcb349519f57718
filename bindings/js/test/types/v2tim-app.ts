// An app that signs in with react-native-tim-js, using every member that has to do with that. It is compiled twice: with the
// declarations of the original, and with ours in their place.

import { LogLevelEnum, TencentImSDKPlugin, type V2TimCallback } from 'react-native-tim-js';
import type { V2TimSDKListener, V2TimValueCallback } from 'react-native-tim-js';

const listener: V2TimSDKListener = {
  onConnecting: () => {},
  onConnectSuccess() {},
  onConnectFailed: (code, error) => void [code.toFixed(), error.length],
  onKickedOffline: async () => {},
  onUserSigExpired: () => void start(1, 'alice'),
  onSelfInfoUpdated: (info) => info.userID?.length,
  onUserStatusChanged: (list) => list.map((status) => status.statusType ?? 0),
};

export async function start(sdkAppID: number, userID: string): Promise<string> {
  const level: LogLevelEnum = LogLevelEnum.V2TIM_LOG_DEBUG;
  const made: V2TimValueCallback<boolean> = await TencentImSDKPlugin.v2TIMManager.initSDK(
    sdkAppID,
    level,
    listener,
  );
  if (made.code !== 0 || made.data !== true) throw new Error(made.desc);
  listener.onConnecting();

  const login: V2TimCallback = await TencentImSDKPlugin.v2TIMManager.login(userID, 'userSig');
  if (login.code !== 0) return login.desc;
  const user: V2TimValueCallback<string> = await TencentImSDKPlugin.v2TIMManager.getLoginUser();
  const status: V2TimValueCallback<number> = await TencentImSDKPlugin.v2TIMManager.getLoginStatus();
  const time: V2TimValueCallback<number> = await TencentImSDKPlugin.v2TIMManager.getServerTime();
  const version: V2TimValueCallback<string> = await TencentImSDKPlugin.v2TIMManager.getVersion();
  const called = await TencentImSDKPlugin.v2TIMManager.callExperimentalAPI('api', { param: 1 });
  TencentImSDKPlugin.v2TIMManager.setAPNSListener();
  const left: V2TimCallback[] = [
    await TencentImSDKPlugin.v2TIMManager.logout(),
    await TencentImSDKPlugin.v2TIMManager.unInitSDK(),
    await TencentImSDKPlugin.v2TIMManager.setSelfStatus('busy'),
  ];
  const statuses = await TencentImSDKPlugin.v2TIMManager.getUserStatus(['bob']);
  const first: string | undefined = statuses.data?.[0]?.userID;
  return [
    user.data,
    status.data === 0,
    time.data,
    version.data,
    called.code,
    left.length,
    first,
  ].join();
}

export const levels: number[] = [
  LogLevelEnum.V2TIM_LOG_NONE,
  LogLevelEnum.V2TIM_LOG_INFO,
  LogLevelEnum.V2TIM_LOG_WARN,
  LogLevelEnum.V2TIM_LOG_ERROR,
];
