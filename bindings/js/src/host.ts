// What JavaScript engines offer under names that differ by lib: Node, browsers, Hermes and JavaScriptCore all have these.

interface Globals {
  readonly console?: Record<'error' | 'warn' | 'info' | 'debug', (line: string) => void>;
  setTimeout(task: () => void, ms: number): unknown;
}
const globals = globalThis as unknown as Globals;
/** As it is when this is loaded: the clock that a test of an app puts in its place must not stop a client. */
const { setTimeout } = globals;

/** Runs task in a turn of its own: after the promise jobs that wait already. */
export function later(task: () => void): void {
  setTimeout(task, 0);
}

/**
 * Hands an exception of the app's own code to the host, where it counts as uncaught: 'uncaughtException' in Node, the global
 * handler in React Native. It does not disturb whoever calls this.
 */
export function rethrow(error: unknown): void {
  later(() => {
    throw error;
  });
}

/** Runs a function of the app's. What it throws goes to the host. */
export function guarded(callback: () => unknown): void {
  try {
    callback();
  } catch (error) {
    rethrow(error);
  }
}

/** Writes a line to the console, where there is one. */
export function print(level: 'error' | 'warn' | 'info' | 'debug', line: string): void {
  globals.console?.[level](line);
}

/** `Symbol.asyncDispose`, or what stands for it where JavaScript has none yet. */
export function asyncDisposeOf(symbols: { readonly asyncDispose?: symbol }): symbol {
  return symbols.asyncDispose ?? Symbol.for('Symbol.asyncDispose');
}

/** What the faces need of an AbortSignal; that of React Native has no reason. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason?: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}
