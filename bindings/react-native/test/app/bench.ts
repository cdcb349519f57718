// What calls cost, from JavaScript to libtim and back. The test sends one line, and gets one.

import { TurboModuleRegistry } from 'react-native';
import * as tim from 'react-native-tim-js';

import type { Spec } from '../../src/NativeTim.js';

declare const globalThis: { onLine(line: string): void };
declare function print(line: string): void;
declare function nativePerformanceNow(): number;

/** The lowest of some rounds, in nanoseconds: others have the machine, too. */
function perCall(call: () => unknown): number {
  const calls = 100_000;
  let best = Infinity;
  for (let round = 0; round < 7; round++) {
    const start = nativePerformanceNow();
    for (let i = 0; i < calls; i++) call();
    best = Math.min(best, ((nativePerformanceNow() - start) / calls) * 1e6);
  }
  return Math.round(best);
}

/** The median of some runs, in microseconds. */
async function perRun(
  run: () => Promise<unknown>,
  between: () => Promise<unknown>,
): Promise<number> {
  const took: number[] = [];
  for (let i = 0; i < 301; i++) {
    const start = nativePerformanceNow();
    await run();
    took.push(nativePerformanceNow() - start);
    await between();
  }
  return Math.round(took.sort((a, b) => a - b)[150]! * 1000);
}

async function logins(client: tim.TimClient, login: () => Promise<unknown>): Promise<number> {
  await client.logout();
  return perRun(login, () => client.logout());
}

async function bench(options: tim.TimOptions & { ticket: string }): Promise<object> {
  const native = TurboModuleRegistry.get<Spec>('NativeTim')!;
  const client = new tim.TimClient(options);
  const login = () => client.login('alice', options.ticket);
  const { code, message }: { code?: number; message?: string } = await login().then(
    () => ({}),
    (error) => error,
  );
  if (code !== undefined) return { code, message };
  const results = {
    'a call of C++, a number (native.status), ns': perCall(() => native.status(1)),
    'client.ready, ns': perCall(() => client.ready),
    'client.user, ns': perCall(() => client.user),
    'a login that is answered without the server, µs': await perRun(login, async () => {}),
    'a login on a new connection, µs': await logins(client, login),
  };
  await client.close();
  return results;
}

globalThis.onLine = (line) => {
  void bench(JSON.parse(line)).then((results) => print(JSON.stringify(results)));
};
