// The samples of "登录和注销" (React Native SDK) and of its English twin, which print the same code. What a sample leaves open
// is a parameter, and a call where it has a comment.

import { TencentImSDKPlugin } from 'react-native-tim-js';

/** 登录 */
export async function login(
  userID: string,
  userSig: string,
  succeeded: () => void,
  failed: (res: { code: number; desc: string }) => void,
) {
  const res = await TencentImSDKPlugin.v2TIMManager.login(userID, userSig);
  if (res.code == 0) {
    // 登录成功逻辑
    succeeded();
  } else {
    // 登录失败逻辑
    failed(res);
  }
}

/** 获取登录用户 */
export async function getLoginUser() {
  let userID: string | undefined;
  // 获取登录成功的用户 UserID
  const getLoginUserRes = await TencentImSDKPlugin.v2TIMManager.getLoginUser();
  if (getLoginUserRes.code == 0) {
    userID = getLoginUserRes.data;
  }
  return userID;
}

/** 获取登录状态 */
export async function getLoginStatus(told: (status: string) => void) {
  const getLoginStatusRes = await TencentImSDKPlugin.v2TIMManager.getLoginStatus();
  if (getLoginStatusRes.code == 0) {
    const status = getLoginStatusRes.data;
    if (status == 0) {
      // 已登录
      told('logged in');
    } else if (status == 1) {
      // 登录中
      told('logging in');
    } else if (status == 2) {
      // 未登录
      told('not logged in');
    }
  }
}

/** 登出 */
export async function logout(succeeded: () => void) {
  const logoutRes = await TencentImSDKPlugin.v2TIMManager.logout();
  if (logoutRes.code == 0) {
    succeeded();
  }
}
