// What people read: what happened to them and what they can do, without codes.

import { Code, type Kick, KickReason, Platform, TimError } from '@opentim/react-native';

/** Why a login failed. */
export function problemWords(problem: unknown): string {
  if (!(problem instanceof TimError))
    return 'We could not reach our own service. Check your connection, then try again.';
  switch (problem.code) {
    case Code.InvalidUserID:
    case Code.InvalidParameters:
      return 'A name has 1 to 32 letters, digits or signs. Accents and emoji do not work.';
    case Code.TicketExpired:
    case Code.UserSigExpired:
      return 'Your pass was too old. Try again: you will get a new one.';
    case Code.AccountBanned:
      return 'This account is blocked. Ask support for help.';
  }
  if (problem.retryable)
    return 'We could not reach the server. Check your connection, then try again.';
  return `The server did not let you in (${problem.code}).`;
}

const DEVICES: Readonly<Record<Platform, string>> = {
  [Platform.IOS]: 'an iPhone',
  [Platform.IPad]: 'an iPad',
  [Platform.Android]: 'an Android device',
  [Platform.Windows]: 'a Windows computer',
  [Platform.Mac]: 'a Mac',
  [Platform.Linux]: 'a Linux computer',
  [Platform.Web]: 'a browser',
};

/** Why a session was ended from outside. */
export function kickWords({ reason, byPlatform, byLabel, at }: Kick): string {
  const when = at ? ` at ${clock(at)}` : '';
  switch (reason) {
    case KickReason.RESTAPI:
      return `An administrator logged you out${when}.`;
    case KickReason.AccountDeleted:
      return `Your account was deleted${when}.`;
  }
  const device = byPlatform === undefined ? 'another device' : DEVICES[byPlatform];
  return `Your account logged in on ${device}${byLabel && ` (${byLabel})`}${when}. If that was not you, change your password.`;
}

/** A time of day, such as 09:05. */
export function clock(time: Date): string {
  return [time.getHours(), time.getMinutes()].map((n) => String(n).padStart(2, '0')).join(':');
}
