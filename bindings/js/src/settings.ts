// What both facades are told once, because the calls that they imitate have no place for it.

import * as check from './check.js';
import { Code } from './codes.gen.js';
import { TimClient } from './client.js';
import { engine } from './engine.js';
import { TimError } from './errors.js';
import { LogLevel } from './events.gen.js';
import { guarded, print } from './host.js';
import { folder, toConfig, type TimOptions } from './options.js';

/** Hears the lines of a facade's log. Tickets and keys are never in them. */
export type Logger = (level: LogLevel, line: string) => void;

/** What {@link configure} takes: what a client is made of, without what a facade says itself. */
export interface Settings extends Omit<Partial<TimOptions>, 'sdkAppID' | 'platform' | 'logLevel'> {
  /** Hears the lines of the log. Default: the console. */
  logger?: Logger | undefined;
}

let settings: Settings = {};

/**
 * Tells the V2TIM and the Chat facade where the server is. It is the one line that an app written for `react-native-tim-js` or
 * `@tencentcloud/chat` has to add:
 *
 * ```ts
 * configure({ endpoint: 'wss://tim.example.com' });
 * ```
 *
 * It counts for every `initSDK` and every first `login` of a Chat instance from then on, and replaces what was configured
 * before. Without it the environment's `TIM_ENDPOINT` counts, where there is an environment.
 *
 * @throws TimError with `Code.InvalidParameters`, naming the setting
 */
export function configure(given: Settings): void {
  const { logger, ...options } = check.object('configure', 'settings', given) as Settings;
  if (logger !== undefined) check.callable('configure', 'logger', logger);
  const { host } = engine();
  toConfig('configure', { endpoint: host.endpoint, sdkAppID: 1, ...options }, host);
  settings = { ...given };
}

/** What a facade says of the client that it needs. */
export interface Facade {
  /** The call that needs it. */
  what: string;
  /** The name of the folder that keeps its identity. */
  folder: string;
  /** What counts instead of the configured endpoint, or ''. */
  endpoint: string;
  client: Required<Pick<TimOptions, 'sdkAppID' | 'platform' | 'logLevel'>>;
}

/** Makes the client of a facade from what was configured. */
export function facadeClient(facade: Facade): TimClient {
  const { logger: _, ...options } = settings;
  const { host } = engine();
  const endpoint = facade.endpoint || options.endpoint || host.endpoint;
  if (!endpoint) {
    const why = "nobody said where the server is: call configure({ endpoint: 'wss://…' }) first";
    throw new TimError(Code.InvalidParameters, facade.what, why);
  }
  const dataDir = options.dataDir ?? host.dataDir;
  return new TimClient({
    ...options,
    ...facade.client,
    endpoint,
    dataDir: folder({ ...host, dataDir }, facade.folder),
  });
}

/** Writes a line that is at least as important as threshold to the log of the facades. */
export function log(threshold: LogLevel, level: LogLevel, line: string): void {
  if (threshold === LogLevel.None || level < threshold) return;
  const { logger } = settings;
  if (logger !== undefined) guarded(() => logger(level, line));
  else print(CONSOLE[level] ?? 'debug', `tim: ${line}`);
}

const CONSOLE: Partial<Record<LogLevel, 'error' | 'warn' | 'info'>> = {
  [LogLevel.Error]: 'error',
  [LogLevel.Warn]: 'warn',
  [LogLevel.Info]: 'info',
};
