// The codes that @tencentcloud/chat has a number of its own for.

import { Code } from './codes.gen.js';
import { TimError } from './errors.js';
import { KickReason } from './events.gen.js';
import type { Kick } from './events.js';

const chatCodes = new Map<number, number>([
  [Code.NotLoggedIn, Code.ChatNotLoggedIn],
  [Code.UserSigExpired, Code.TicketExpired],
  [Code.InvalidOperation, Code.ChatInvalidOperation],
  [Code.CallTooOften, Code.ChatTooOften],
  [Code.QueueFull, Code.ChatTooOften],
  [Code.Internal, Code.ChatUncaughtError],

  [Code.RequestTimeout, Code.ChatNetworkTimeout],
  [Code.ConnectTimeout, Code.ChatNetworkTimeout],
  [Code.SendTimeout, Code.ChatNetworkTimeout],
  [Code.AckTimeout, Code.ChatNetworkTimeout],
  [Code.NoNetwork, Code.ChatNoNetwork],
  [Code.NetUnreachable, Code.ChatNoNetwork],
  [Code.NetworkLost, Code.ChatNetworkError],
  [Code.CaptivePortal, Code.ChatNetworkError],
  [Code.Disconnected, Code.ChatNetworkError],
  [Code.ConnectRefused, Code.ChatNetworkError],
  [Code.ResetByPeer, Code.ChatNetworkError],
  [Code.HostNotFound, Code.ChatNetworkError],
  [Code.ConnectReset, Code.ChatNetworkError],
  [Code.TLSFailed, Code.ChatNetworkError],
]);

/** Returns error with the number that @tencentcloud/chat has for it; what it was is its cause. */
export function toChatError(error: TimError): TimError {
  const code = chatCodes.get(error.code);
  return code === undefined ? error : new TimError(code, 'chat', error.message, error);
}

/** Why an instance is not ready after a kick. */
export function notReadyAfter(kick: Kick): number {
  switch (kick.reason) {
    case KickReason.MultipleDevice:
      return Code.ChatNotReadyMultipleDevice;
    case KickReason.MultipleAccount:
    case KickReason.Replaced:
      return Code.ChatNotReadyMultipleAccount;
    default:
      return Code.ChatNotReadyRESTAPI;
  }
}
