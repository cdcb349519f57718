// How many events a second reach a listener, from a thread that has as many as are taken: through the addon alone, which hands
// over arrays of objects, and through TimClient.

import { TimClient } from '@opentim/node';

import { NodeEngine } from '../src/engine.js';
import { config } from '../test/config.js';
import { baselines, print, rounds } from './figures.js';

const { native, handles } = baselines();
const EVENTS = 500_000;

/** Floods the client that was made last, and returns events a second. */
async function flood(heard: (all: () => void) => void): Promise<number> {
  const all = new Promise<void>((resolve) => heard(resolve));
  const start = process.hrtime.bigint();
  native.flood(handles.at(-1)!, EVENTS);
  await all;
  return (EVENTS * 1e9) / Number(process.hrtime.bigint() - start);
}

async function main(): Promise<void> {
  let left = 0;
  let done = () => {};
  const expect = (all: () => void) => {
    left = EVENTS;
    done = all;
  };
  let batches = 0;
  const bare = new NodeEngine().create(config, (items) => {
    batches++;
    if ((left -= items.length) === 0) done();
  });
  if (typeof bare === 'number') throw new Error(`no client: ${bare}`);
  bare.ref!();
  for (let i = 0; i < rounds; i++) {
    print('events_addon', await flood(expect));
    print('events_in_a_batch', EVENTS / batches);
    batches = 0;
  }
  bare.close();

  const client = new TimClient({ endpoint: config.url, sdkAppID: 1 });
  client.on('connecting', () => void (--left === 0 && done()));
  for (let i = 0; i < rounds; i++) print('events_client', await flood(expect));
  await client.close();
}

const alive = setInterval(() => {}, 1000);
void main().finally(() => clearInterval(alive));
