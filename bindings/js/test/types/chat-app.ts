// An app that signs in with @tencentcloud/chat, using every member that has to do with that, under the strictest rules of
// the compiler. It is compiled twice: with the declarations of the original, and with ours in their place.

import TencentCloudChat, { type ChatSDK } from '@tencentcloud/chat';

interface KickedOut {
  name: string;
  data: { type: string };
}

export class Session {
  readonly chat: ChatSDK;
  ready = false;
  reason = '';

  constructor(SDKAppID: number, proxyServer?: string) {
    const options = { SDKAppID, proxyServer, fileUploadProxy: undefined, scene: 'app' };
    this.chat = TencentCloudChat.create(options);
    this.chat.setLogLevel(0);
    this.chat.registerPlugin({ 'tim-upload-plugin': Session });
    this.chat.on(TencentCloudChat.EVENT.SDK_READY, this.onReady, this);
    this.chat.on(TencentCloudChat.EVENT.SDK_NOT_READY, this.onReady, this);
    this.chat.on(TencentCloudChat.EVENT.KICKED_OUT, this.onKickedOut);
    this.chat.on(TencentCloudChat.EVENT.NET_STATE_CHANGE, (event: { data: { state: string } }) => {
      if (event.data.state === TencentCloudChat.TYPES.NET_STATE_DISCONNECTED) this.ready = false;
    });
    this.chat.on(TencentCloudChat.EVENT.ERROR, function (event: any) {
      const { code, message }: { code: number; message: string } = event.data;
      void [code, message];
    });
    const handlers: Record<string, Function> = { onMessageReceived: () => {} };
    for (const name of Object.keys(handlers)) this.chat.on(name, handlers[name] as Function);
  }

  onReady(event: { name: string }): void {
    this.ready = event.name === TencentCloudChat.EVENT.SDK_READY;
  }

  onKickedOut = (event: KickedOut): void => {
    switch (event.data.type) {
      case TencentCloudChat.TYPES.KICKED_OUT_MULT_ACCOUNT:
      case TencentCloudChat.TYPES.KICKED_OUT_MULT_DEVICE:
      case TencentCloudChat.TYPES.KICKED_OUT_REST_API:
        this.reason = 'elsewhere';
        break;
      case TencentCloudChat.TYPES.KICKED_OUT_USERSIG_EXPIRED:
        this.reason = 'expired';
    }
  };

  async login(userID: string, userSig: string): Promise<boolean> {
    const promise: Promise<any> = this.chat.login({ userID, userSig });
    try {
      const imResponse = await promise;
      const info: string = imResponse.data.errorInfo;
      void info;
      return imResponse.data.repeatLogin === true;
    } catch (imError: any) {
      throw new Error(`${imError.code} ${imError.message}`);
    }
  }

  loginThen(userID: string, userSig: string): void {
    this.chat
      .login({ userID, userSig })
      .then((imResponse) => [imResponse.code, imResponse.data.tinyID, imResponse.data.actionStatus])
      .catch((imError) => imError.code);
  }

  async end(): Promise<void> {
    this.chat.off(TencentCloudChat.EVENT.KICKED_OUT, this.onKickedOut);
    this.chat.off(TencentCloudChat.EVENT.SDK_READY, this.onReady, this);
    const logout: Promise<void> = this.chat.logout();
    await logout.catch((imError: { code: number }) => imError.code);
    const destroy: () => Promise<void> = () => this.chat.destroy();
    await destroy();
  }

  who(): string {
    const name: String = this.chat.getLoginUser();
    const time: Number = this.chat.getServerTime();
    const ready: boolean = this.chat.isReady();
    return `${name} ${time} ${ready}`;
  }
}

/** The constants as types. */
export const kinds: TencentCloudChat.TYPES[] = [
  TencentCloudChat.TYPES.CONV_C2C,
  TencentCloudChat.TYPES.USER_STATUS_ONLINE,
];
export const names: TencentCloudChat.EVENT[] = [TencentCloudChat.EVENT.MESSAGE_RECEIVED];
export const actions: TencentCloudChat.TSignaling[] = [
  TencentCloudChat.TSignaling.ACTION_TYPE_INVITE,
];
