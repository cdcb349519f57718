// Signals and child processes while libtim's threads are busy: libuv's handlers must never run on a goroutine's stack.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';

import { app, client } from './setup.js';

const until = Date.now() + Number(process.argv[3]);
const storming = () => Date.now() < until;

/** Logs a user in and out until the thread is terminated: in a worker, because spawning children takes all of main's time. */
async function busy(user: string): Promise<void> {
  const one = client();
  for (;;) {
    await one.login(user, app.ticket(user));
    await one.logout();
    parentPort!.postMessage(user);
  }
}

async function signals(): Promise<number> {
  let heard = 0;
  process.on('SIGUSR2', () => heard++);
  const sender = spawn('sh', ['-c', `while kill -USR2 ${process.pid}; do :; done`], {
    stdio: 'ignore',
  });
  while (storming()) await new Promise((resolve) => setTimeout(resolve, 20));
  sender.kill();
  await once(sender, 'exit');
  return heard;
}

async function children(): Promise<number> {
  let ended = 0;
  const one = async () => {
    while (storming()) {
      const [code] = await once(spawn('true', { stdio: 'ignore' }), 'exit');
      if (code !== 0) throw new Error(`a child ended with ${code}`);
      ended++;
    }
  };
  await Promise.all(Array.from({ length: 40 }, one));
  return ended;
}

/** What an app might do: four children every 25 ms, beside eight users who log in and out. */
async function ordinary(): Promise<number> {
  let ended = 0;
  let alive = 0;
  const spawned = setInterval(() => {
    for (let i = 0; i < 4 && alive < 40; i++) {
      alive++;
      spawn('true', { stdio: 'ignore' }).on('exit', (code) => {
        if (code !== 0) throw new Error(`a child ended with ${code}`);
        ended++;
        alive--;
      });
    }
  }, 25);
  const user = async (name: string) => {
    const one = client();
    for (; storming(); logins++) {
      await one.login(name, app.ticket(name));
      await one.logout();
    }
    await one.close();
  };
  await Promise.all(Array.from({ length: 8 }, (_, i) => user(`user${i}`)));
  clearInterval(spawned);
  return ended;
}

let logins = 0;

async function main(): Promise<void> {
  const worker = new Worker(__filename).on('message', () => logins++);
  const kind = process.argv[2] as 'signals' | 'children' | 'ordinary';
  const count = await { signals, children, ordinary }[kind]();
  await worker.terminate();
  if (count < 10 || logins < 10) throw new Error(`that was no storm: ${count}, ${logins} logins`);
  console.log(`${count} ${process.argv[2]}, ${logins} logins`);
}

if (isMainThread) void main();
else for (const user of ['a', 'b', 'c', 'd']) void busy(user);
