// Workers come and go in every way there is, several at once; main may never load the addon itself.

import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

const ROUNDS = 6;
const ends = ['cleanly', 'terminated while logging in', 'terminated online', 'by process.exit'];

async function main(): Promise<void> {
  if (process.argv[2] === 'both') (await import('./setup.js')).client();
  for (let round = 0; round < ROUNDS; round++) await Promise.all(ends.map(one));
  console.log(`${ROUNDS * ends.length} workers ended`);
}

async function one(end: string): Promise<void> {
  const worker = new Worker(__filename, { workerData: end });
  worker.on('error', (error) => {
    throw error;
  });
  const exit = once(worker, 'exit');
  if (end.startsWith('terminated')) {
    await once(worker, 'message');
    await worker.terminate();
  }
  const [code] = await exit;
  const want = { cleanly: 0, 'by process.exit': 5 }[end] ?? 1;
  if (code !== want) throw new Error(`the worker that ended ${end} ended with ${code}`);
}

async function work(end: string): Promise<void> {
  const { app, client, stuck } = await import('./setup.js');
  const alice = client();
  switch (end) {
    case 'cleanly':
      await alice.login('alice', app.ticket('alice'));
      return alice.logout();
    case 'terminated while logging in':
      for (let i = 0; i < 50; i++) void client().login(`user${i}`, app.ticket(`user${i}`));
      void stuck(60_000).login('alice', app.ticket('alice'));
      return parentPort!.postMessage('logging in');
    case 'terminated online':
      await alice.login('bob', app.ticket('bob'));
      return parentPort!.postMessage('online');
    case 'by process.exit':
      void alice.login('carol', app.ticket('carol'));
      process.exit(5);
  }
}

void (isMainThread ? main() : work(workerData as string));
