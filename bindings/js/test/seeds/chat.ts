// The samples of the React Native page of @tencentcloud/chat. What a sample leaves open, and where it prints to, is a parameter.

import TencentCloudChat, { type ChatSDK } from '@tencentcloud/chat';

/** Where the samples print to. */
export interface Printer {
  log(...values: any[]): void;
  warn(...values: any[]): void;
}

/** 登录 */
export function login(chat: ChatSDK, userID: string, userSig: string, console: Printer) {
  let promise = chat.login({ userID: userID, userSig: userSig });
  return promise
    .then(function (imResponse) {
      console.log(imResponse.data); // 登录成功
      if (imResponse.data.repeatLogin === true) {
        // 标识账号已登录，本次登录操作为重复登录。
        console.log(imResponse.data.errorInfo);
      }
    })
    .catch(function (imError) {
      console.warn('login error:', imError); // 登录失败的相关信息
    });
}

/** 获取登录用户信息 */
export function getLoginUser(chat: ChatSDK) {
  const userID = chat.getLoginUser();
  return userID;
}

/** 获取服务器时间 */
export function getServerTime(chat: ChatSDK) {
  const serverTime = chat.getServerTime();
  return serverTime;
}

/** SDK 是否 ready */
export function isReady(chat: ChatSDK) {
  let isReady = chat.isReady();
  return isReady;
}

/** 登出 */
export function logout(chat: ChatSDK, console: Printer) {
  let promise = chat.logout();
  return promise
    .then(function (imResponse) {
      console.log(imResponse.data); // 登出成功
    })
    .catch(function (imError) {
      console.warn('logout error:', imError);
    });
}

/** 销毁 */
export function destroy(chat: ChatSDK) {
  let promise = chat.destroy();
  return promise;
}

/** 登录设置 */
export function listen(chat: ChatSDK, console: Printer) {
  let onKickedOut = function (event: any) {
    console.log(event.data.type);
    // TencentCloudChat.TYPES.KICKED_OUT_MULT_ACCOUNT(Web端，同一账号，多页面登录被踢)
    // TencentCloudChat.TYPES.KICKED_OUT_MULT_DEVICE(同一账号，多端登录被踢)
    // TencentCloudChat.TYPES.KICKED_OUT_USERSIG_EXPIRED(签名过期)
    // TencentCloudChat.TYPES.KICKED_OUT_REST_API(REST API kick 接口踢出)
  };

  chat.on(TencentCloudChat.EVENT.KICKED_OUT, onKickedOut);
}
