// calls.js ENDPOINT: what calls cost, in one process. Prints "name value" lines; the rounds of what is compared take turns.

import { stat } from 'node:fs/promises';

import { TimClient } from '@opentim/node';

import { baselines, print, rounds } from './figures.js';

const { native, handles } = baselines();
const CALLS = 2_000_000;
const TRIPS = 5_000;

/** Nanoseconds of a call. */
function call(run: () => unknown): number {
  const start = process.hrtime.bigint();
  for (let i = 0; i < CALLS; i++) run();
  return Number(process.hrtime.bigint() - start) / CALLS;
}

/** Microseconds of a promise, one after the other. */
async function trip(run: () => Promise<unknown>): Promise<number> {
  const start = process.hrtime.bigint();
  for (let i = 0; i < TRIPS; i++) await run();
  return Number(process.hrtime.bigint() - start) / TRIPS / 1000;
}

async function main(): Promise<void> {
  const client = new TimClient({ endpoint: process.argv[2]!, sdkAppID: 1400000001 });
  await client.login('alice', 'ok');
  const handle = handles[0]!;
  const calls: Record<string, () => unknown> = {
    nothing: () => native.nothing(),
    status: () => handle.status(),
    ready: () => handle.ready(),
    user: () => handle.user(),
    server_time: () => handle.serverTimeMs(),
    client_ready: () => client.ready,
    client_status: () => client.status,
  };
  for (const run of Object.values(calls)) call(run); // compiled from here on
  for (let i = 0; i < rounds; i++) {
    for (const [name, run] of Object.entries(calls)) print(`ns_${name}`, call(run));
  }
  const trips: Record<string, () => Promise<unknown>> = {
    nothing_elsewhere: () => native.nothingElsewhere(),
    fs_stat: () => stat('/'),
    repeated_login: () => client.login('alice', 'ok'), // answered by the engine's goroutine, without traffic
  };
  for (let i = 0; i < rounds; i++) {
    for (const [name, run] of Object.entries(trips)) print(`us_${name}`, await trip(run));
  }
  await client.close();
}

void main();
