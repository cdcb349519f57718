// Finds and loads the addon.

import { resolve } from 'node:path';

import { Code } from '../../js/src/codes.gen.js';
import type { EngineConfig, Item } from '../../js/src/engine.js';
import { TimError } from '../../js/src/errors.js';
import type { LoginStatus } from '../../js/src/events.gen.js';

/** Stands for a client of the addon, which checks it, and has its getters. */
export interface Handle {
  status(): LoginStatus;
  ready(): boolean;
  user(): string;
  serverTimeMs(): number;
}

/** What src/addon.c exports. A number that is returned is 0 or a code, where nothing else is said. */
export interface Native {
  create(config: EngineConfig, deliver: (items: Item[]) => void): Handle | number;
  /** Delivers what is waiting, at most 1,000 items. After each delivery the addon expects this call, in another turn. */
  pump(client: Handle, deliver: (items: Item[]) => void): void;
  login(client: Handle, request: number, userID: string, ticket: string): number;
  logout(client: Handle, request: number): number;
  renew(client: Handle, request: number, ticket: string): number;
  provideTicket(client: Handle, request: number, ticket: string): number;
  wake(client: Handle): number;
  setBackground(client: Handle, background: boolean): number;
  close(client: Handle): number;
  hold(client: Handle, hold: boolean): void;
  version(): string;
}

/**
 * Loads the addon: the file that `TIM_NATIVE_PATH` names, or that of the package for this platform.
 *
 * @throws TimError with `Code.NotSupported` that says what to do
 */
export function loadNative(): Native {
  const path = process.env['TIM_NATIVE_PATH'];
  try {
    return (path ? require(resolve(path)) : ofThisPlatform()) as Native;
  } catch (error) {
    const cause = error === noBuild ? undefined : error;
    throw new TimError(Code.NotSupported, 'load @opentim/node', why(error), cause);
  }
}

const here = `${process.platform}-${process.arch}`;
const noBuild = {};

/** Every name is a literal, so that bundlers see it. Those for macOS are not published: who has one built it. */
function ofThisPlatform(): unknown {
  switch (here) {
    case 'linux-x64':
      return require('@opentim/node-linux-x64');
    case 'linux-arm64':
      return require('@opentim/node-linux-arm64');
    case 'win32-x64':
      return require('@opentim/node-win32-x64');
    case 'darwin-x64':
      return require('@opentim/node-darwin-x64');
    case 'darwin-arm64':
      return require('@opentim/node-darwin-arm64');
    default:
      throw noBuild;
  }
}

function why(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  if (isMusl()) {
    return 'this is a musl system such as Alpine, where Go libraries cannot be loaded: use an image with glibc, such as node:22-slim';
  }
  if (error === noBuild)
    return `there is no build for ${here}: build the addon from source and name it in TIM_NATIVE_PATH`;
  if (code === 'ERR_DLOPEN_DISABLED') return 'Node runs with --permission: add --allow-addons';
  if (code !== 'MODULE_NOT_FOUND') return message ?? String(error);
  if (process.env['TIM_NATIVE_PATH']) return 'TIM_NATIVE_PATH names no file';
  if (process.platform === 'darwin')
    return `the package @opentim/node-${here} is not installed: it is not published yet, so build it with bindings/node/build.sh`;
  return `the package @opentim/node-${here} is not installed: install again on this platform and without --omit=optional, if need be after removing node_modules and the lock file`;
}

/** Asked only when loading failed: the report takes a while. */
function isMusl(): boolean {
  if (process.platform !== 'linux') return false;
  const report = process.report as typeof process.report & { excludeNetwork?: boolean };
  const before = report.excludeNetwork;
  report.excludeNetwork = true; // it would look names up
  const { header } = report.getReport() as { header?: { glibcVersionRuntime?: string } };
  if (before !== undefined) report.excludeNetwork = before;
  return header !== undefined && header.glibcVersionRuntime === undefined;
}
