// logins.js ENDPOINT: from nothing to signed in, beside what a bare WebSocket takes for its upgrade and one echoed frame, on the
// same server. A login's connection is closed before the next one; closing is not measured.

import { once } from 'node:events';

import { TimClient } from '@opentim/node';
import { WebSocket } from 'ws';

import { print, rounds } from './figures.js';

const endpoint = process.argv[2]!;
const LOGINS = 200;

/** The median of some runs of what returns its microseconds. */
async function median(run: () => Promise<number>): Promise<number> {
  const all: number[] = [];
  for (let i = 0; i < LOGINS; i++) all.push(await run());
  return all.sort((a, b) => a - b)[LOGINS / 2]!;
}

async function login(): Promise<number> {
  const client = new TimClient({ endpoint, sdkAppID: 1400000001 });
  const start = process.hrtime.bigint();
  await client.login('alice', 'ok');
  const took = Number(process.hrtime.bigint() - start) / 1000;
  await client.close();
  return took;
}

async function echo(): Promise<number> {
  const start = process.hrtime.bigint();
  const socket = new WebSocket(new URL('echo', endpoint));
  await once(socket, 'open');
  socket.send(Buffer.alloc(300)); // what a login frame has
  await once(socket, 'message');
  const took = Number(process.hrtime.bigint() - start) / 1000;
  socket.close();
  await once(socket, 'close');
  return took;
}

async function main(): Promise<void> {
  await median(login);
  await median(echo);
  for (let i = 0; i < rounds; i++) {
    const [mine, bare] = [await median(login), await median(echo)];
    print('us_login', mine);
    print('us_ws_echo', bare);
    print('ratio_login', mine / bare);
  }
}

void main();
