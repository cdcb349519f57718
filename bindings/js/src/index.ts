// What the packages for Node and React Native export, each over an addon of its own.

export { Code, type CodeName } from './codes.gen.js';
export { TimError } from './errors.js';
export {
  EventKind,
  KickReason,
  KickReasonWord,
  LogLevel,
  LogLevelWord,
  LoginStatus,
  LoginStatusWord,
  Platform,
  PlatformWord,
} from './events.gen.js';
export type { AbortSignalLike } from './host.js';
export { VERSION } from './version.gen.js';

export { TimClient, type LoginOptions, type LoginResult } from './client.js';
export type { Kick, Reason, TimEvents } from './events.js';
export type { TicketProvider, TimOptions } from './options.js';

export { configure, type Logger, type Settings } from './settings.js';

export { TencentImSDKPlugin, V2TIMManager } from './v2tim.js';
export * from './v2tim-types.js';
export type { AbsentCall, AbsentManager } from './v2tim-absent.js';

export { ChatSDK, TencentCloudChat, TencentCloudChat as default } from './chat.js';
export type * from './chat-types.js';
