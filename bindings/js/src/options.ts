import * as check from './check.js';
import type { EngineConfig, Host } from './engine.js';
import { LogLevel, LogLevelWord, type Platform, PlatformWord } from './events.gen.js';

/** What a client is. `endpoint` and `sdkAppID` are required; what is missing has a default that works. */
export interface TimOptions {
  /** The server, `wss://host[:port]`. `ws://` only for this very machine, unless `allowInsecure` is set. */
  endpoint: string;
  /** The SDKAppID. */
  sdkAppID: number;
  /** What the login policies count this device as. Default: what it is. */
  platform?: Platform | undefined;
  /** What a person calls this device; those it pushes out are told. At most 64 bytes. Default: what the device is called. */
  label?: string | undefined;
  /**
   * A folder that keeps this installation's identity over restarts; it is made if it is missing. Clients that share one are
   * one device: of one user, only the last to log in stays. Default in React Native: one for each app, in the app's own
   * folder; elsewhere none: each client is a new device.
   */
  dataDir?: string | undefined;
  /** The identity itself, at most 64 bytes of ASCII, if you keep it elsewhere. */
  instance?: string | undefined;
  /** PEM certificates that may sign the server's. Default: those of the system. */
  caPem?: string | undefined;
  /** From a login to its answer, over all tries, in milliseconds. Default: 15,000. */
  loginTimeoutMs?: number | undefined;
  /** A logout's wait for the server, in milliseconds. Default: 5,000. */
  logoutTimeoutMs?: number | undefined;
  /** Allows `ws://` to other machines. Tickets then cross the network in the clear. */
  allowInsecure?: boolean | undefined;
  /** Start as after `setBackground(true)`. */
  background?: boolean | undefined;
  /** The least level of `log` events. Default: none. */
  logLevel?: LogLevel | undefined;
  /**
   * Is asked for a fresh ticket (UserSig) of the user, long before the running one ends; the session then goes on without a
   * break. It is asked again later if it throws, rejects or returns ''. Default: `userSigWillExpire` asks for `renew`.
   */
  ticketProvider?: TicketProvider | undefined;
}

/** Fetches a ticket of a user from your backend. */
export type TicketProvider = (userID: string) => string | Promise<string>;

const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** Checks what an app handed over, and fills in what is missing, from what the host knows. */
export function toConfig(what: string, options: TimOptions, host: Host): EngineConfig {
  const given = check.object(what, 'options', options);
  const read = <T>(name: keyof TimOptions, otherwise: T, get: (value: unknown) => T): T =>
    given[name] === undefined ? otherwise : get(given[name]);
  const text = (name: keyof TimOptions, otherwise = '') =>
    read(name, otherwise, (value) => check.text(what, name, value));
  const flag = (name: keyof TimOptions) =>
    read(name, false, (value) => check.flag(what, name, value));
  const ms = (name: keyof TimOptions) =>
    read(name, 0, (value) => check.whole(what, name, value, 0, MAX_TIMEOUT_MS));

  const sdkAppID = check.whole(what, 'sdkAppID', given['sdkAppID'], 1, Number.MAX_SAFE_INTEGER);
  read('ticketProvider', undefined, (value) => check.callable(what, 'ticketProvider', value));
  return {
    platform: read('platform', host.platform, (value) =>
      check.oneOf(what, 'platform', value, PlatformWord),
    ),
    sdkAppID,
    url: check.filled(what, 'endpoint', given['endpoint']),
    dataDir: text('dataDir', folder(host, `app-${sdkAppID}`)),
    instance: read('instance', '', (value) => check.identity(what, 'instance', value)),
    label: read('label', host.label, (value) => check.label(what, 'label', value)),
    sdk: host.sdk,
    caPem: text('caPem'),
    loginTimeoutMs: ms('loginTimeoutMs'),
    logoutTimeoutMs: ms('logoutTimeoutMs'),
    allowInsecure: flag('allowInsecure'),
    background: flag('background'),
    logLevel: read('logLevel', LogLevel.None, (value) =>
      check.oneOf(what, 'logLevel', value, LogLevelWord),
    ),
    ticketProvider: given['ticketProvider'] !== undefined,
  };
}

/** A folder for one purpose, below the host's. */
export function folder(host: Host, name: string): string {
  return host.dataDir && `${host.dataDir}/${name}`;
}
