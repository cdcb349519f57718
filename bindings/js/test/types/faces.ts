// What the compiler has to accept and to refuse, of the three faces. @ts-expect-error fails where there is no error.

import type OriginalChatModule from 'chat-original';
import type { ChatSDK as OriginalChat } from 'chat-original';
import type * as OriginalV2TIM from './original/react-native-tim-js.js';
import {
  type ChatSDK,
  Code,
  TencentCloudChat,
  TencentImSDKPlugin,
  TimClient,
  TimError,
} from '../../src/index.js';

// Ours may stand where a function expects the original, with all of its members.
export const create: (options: Parameters<typeof OriginalChatModule.create>[0]) => OriginalChat =
  TencentCloudChat.create;
export const plugin: typeof OriginalV2TIM.TencentImSDKPlugin = TencentImSDKPlugin as never as {
  prototype: OriginalV2TIM.TencentImSDKPlugin;
  v2TIMManager: typeof TencentImSDKPlugin.v2TIMManager;
  new (): OriginalV2TIM.TencentImSDKPlugin;
};

export async function timClient(client: TimClient): Promise<void> {
  client.on('kickedOffline', (kick) => kick.reason?.toFixed());
  client.once('ready', (ready: boolean) => ready);
  client.on('connecting', () => {});
  // @ts-expect-error there is no such event
  client.on('kicked', () => {});
  // @ts-expect-error it is a boolean
  client.on('ready', (ready: string) => ready);
  // @ts-expect-error a ticket is missing
  await client.login('alice');
  await client.login('alice', 'ticket', { signal: new AbortController().signal });
  await client.login('alice', 'ticket', { signal: undefined }); // with exactOptionalPropertyTypes, too
  new TimClient({ endpoint: 'wss://tim.example.com', sdkAppID: 1, ticketProvider: undefined });
  // @ts-expect-error it may not be known
  client.serverTimeMs.toFixed();
  // @ts-expect-error endpoint is missing
  new TimClient({ sdkAppID: 1 });
  const error: Error = new TimError(Code.TicketExpired, 'login');
  // @ts-expect-error nobody changes it
  (error as TimError).code = 0;
  await using scoped = client;
  void scoped;
}

export function chat(chat: ChatSDK): void {
  chat.on(TencentCloudChat.EVENT.KICKED_OUT, ({ name, data }) => {
    const type: 'multipleAccount' | 'multipleDevice' | 'userSigExpired' | 'REST_API_Kick' =
      data.type;
    const kickedOut: 'kickedOut' = name;
    void [type, kickedOut];
  });
  chat.once(TencentCloudChat.EVENT.ERROR, ({ data }) => data.retryable);
  // @ts-expect-error userSig is missing
  void chat.login({ userID: 'alice' });
  // @ts-expect-error there is no such method
  chat.sendPigeon();
}
