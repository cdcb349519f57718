// Signals and child processes while libtim's threads are busy: libuv's handlers must never run on a goroutine's stack.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { isMainThread, Worker, workerData } from 'node:worker_threads';

import { app, client } from './setup.js';

const until = Date.now() + Number(process.argv[3]);
let happened = 0; // signals that were heard, children that ended
/** Both threads count here: a message would have to wait until main has time for it. */
const shared = (isMainThread ? new SharedArrayBuffer(4) : workerData) as SharedArrayBuffer;
const logins = new Int32Array(shared);
const storming = () => Date.now() < until || happened < 100 || logins[0]! < 100;

/** Logs a user in and out until the thread is terminated: in a worker, because spawning children takes all of main's time. */
async function busy(user: string): Promise<void> {
  const one = client();
  for (;;) {
    await one.login(user, app.ticket(user));
    await one.logout();
    Atomics.add(logins, 0, 1);
  }
}

async function signals(): Promise<void> {
  process.on('SIGUSR2', () => happened++);
  const sender = spawn('sh', ['-c', `while kill -USR2 ${process.pid}; do :; done`], {
    stdio: 'ignore',
  });
  while (storming()) await new Promise((resolve) => setTimeout(resolve, 20));
  sender.kill();
  await once(sender, 'exit');
}

async function children(): Promise<void> {
  const one = async () => {
    while (storming()) {
      const [code] = await once(spawn('true', { stdio: 'ignore' }), 'exit');
      if (code !== 0) throw new Error(`a child ended with ${code}`);
      happened++;
    }
  };
  await Promise.all(Array.from({ length: 40 }, one));
}

/** What an app might do: four children every 25 ms, beside eight users who log in and out. */
async function ordinary(): Promise<void> {
  let alive = 0;
  const spawned = setInterval(() => {
    for (let i = 0; i < 4 && alive < 40; i++) {
      alive++;
      spawn('true', { stdio: 'ignore' }).on('exit', (code) => {
        if (code !== 0) throw new Error(`a child ended with ${code}`);
        happened++;
        alive--;
      });
    }
  }, 25);
  const user = async (name: string) => {
    const one = client();
    for (; storming(); Atomics.add(logins, 0, 1)) {
      await one.login(name, app.ticket(name));
      await one.logout();
    }
    await one.close();
  };
  await Promise.all(Array.from({ length: 8 }, (_, i) => user(`user${i}`)));
  clearInterval(spawned);
}

async function main(): Promise<void> {
  const worker = new Worker(__filename, { workerData: shared });
  const kind = process.argv[2] as 'signals' | 'children' | 'ordinary';
  await { signals, children, ordinary }[kind]();
  await worker.terminate();
  console.log(`${happened} ${kind}, ${logins[0]} logins`);
}

if (isMainThread) void main();
else for (const user of ['a', 'b', 'c', 'd']) void busy(user);
