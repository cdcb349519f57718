// Hosts that make it hard, by name. Each prints "well" at its end; hosts.test.ts says what it is about.

import assert from 'node:assert/strict';
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  cpSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { Worker } from 'node:worker_threads';

import type { TimClient, TimError } from '@opentim/node';

import { patient } from '../../../js/test/world.js';
import { app, client, pass } from './setup.js';

const [mode, ...args] = process.argv.slice(2);

async function logInAndOut(alice: TimClient, user = 'alice'): Promise<void> {
  await alice.login(user, app.ticket(user));
  await alice.logout();
  await alice.close();
}

/** Runs this program in another mode, in a shell that prepares what it starts with. */
function shell(prepare: string, ...words: string[]): ChildProcess {
  const script = `${prepare} exec "$0" "$@"`;
  return spawn('sh', ['-c', script, process.execPath, __filename, ...words], { stdio: 'ignore' });
}

async function ends(child: ChildProcess, code: number | null, signal: string | null = null) {
  assert.deepEqual(await once(child, 'exit'), [code, signal]);
}

/** The next message of a child, which must not end before. */
async function says(child: ChildProcess): Promise<unknown> {
  const ended = once(child, 'exit').then(([code, signal]) =>
    assert.fail(`the child ended with ${code ?? signal} and said nothing`),
  );
  const [message] = await Promise.race([once(child, 'message'), ended]);
  ended.catch(() => {}); // from now on it may
  return message;
}

/** None of the three is a connection: what the host prints must not go to the server. */
function noConnectionIsStdio(): void {
  for (const fd of [0, 1, 2]) {
    let what = '';
    try {
      what = readlinkSync(`/proc/self/fd/${fd}`);
    } catch {} // it is closed
    assert.ok(!what.startsWith('socket:'), `descriptor ${fd} is ${what}`);
  }
}

const modes: Record<string, () => unknown> = {
  async stdio() {
    await ends(shell('exec <&- >&- 2>&-;', 'without-stdio'), 0);
    await ends(shell('', 'that-closes-stdio'), 0);
    console.log('well');
  },
  async 'without-stdio'() {
    const alice = client();
    await alice.login('alice', app.ticket('alice'));
    noConnectionIsStdio();
    console.log('the host prints something');
    console.error('and complains');
    await alice.logout();
  },
  async 'that-closes-stdio'() {
    for (const fd of [0, 1, 2]) closeSync(fd);
    const alice = client();
    await alice.login('alice', app.ticket('alice'));
    noConnectionIsStdio();
    await alice.logout();
    process.exit(0);
  },

  async descriptors() {
    await ends(shell('ulimit -n 64;', 'with-few-descriptors'), 0);
    console.log('well');
  },
  async 'with-few-descriptors'() {
    await logInAndOut(client()); // the runtimes have what they need once and for all
    const alice = client({ loginTimeoutMs: 1000 });
    const taken: number[] = [];
    try {
      for (;;) taken.push(openSync('/dev/null', 'r'));
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'EMFILE');
    }
    assert.ok(taken.length < 64);
    await assert.rejects(alice.login('alice', app.ticket('alice')), { name: 'TimError' });
    taken.forEach(closeSync);
    for (;;) {
      try {
        return await logInAndOut(alice);
      } catch (error) {
        if (!(error as TimError).retryable) throw error; // a second may be too short for a login
      }
    }
  },

  /** Two installations, each with an addon of its own; libtim of one version is loaded once, and both call it. */
  async copies() {
    const folder = mkdtempSync(join(tmpdir(), 'tim-copies-'));
    const installed = resolve(__dirname, '../../../../node_modules/@opentim');
    const online = (place: string, user: string) => `
      const { TimClient } = require('node:module').createRequire(${JSON.stringify(place)})('@opentim/node');
      const c = new TimClient(${JSON.stringify({ endpoint: app.endpoint, sdkAppID: app.id, ...patient })});
      c.login('${user}', '${app.ticket(user)}').then(() => c.logout()).then(() => c.close());`;
    try {
      const places = ['one', 'two'].map((name) => {
        const place = join(folder, name);
        cpSync(installed, join(place, 'node_modules/@opentim'), {
          recursive: true,
          dereference: true,
        });
        return join(place, 'index.js');
      });
      const copies = places.map((place) => createRequire(place)('@opentim/node'));
      assert.notEqual(copies[0].TimClient, copies[1].TimClient);
      const clients: TimClient[] = copies.map(
        ({ TimClient, Platform }, i) =>
          new TimClient({
            endpoint: app.endpoint,
            sdkAppID: app.id,
            ...patient,
            platform: [Platform.Linux, Platform.IOS][i],
          }),
      );
      await Promise.all(clients.map((c, i) => c.login(`user${i}`, app.ticket(`user${i}`))));
      assert.deepEqual(
        clients.map((c) => c.user),
        ['user0', 'user1'],
      );
      const maps = readFileSync('/proc/self/maps', 'utf8');
      for (const place of places)
        assert.ok(
          maps.includes(join(dirname(place), 'node_modules/@opentim/node-linux-x64/tim.node')),
        );
      const workers = places.map(
        (place, i) => new Worker(online(place, `worker${i}`), { eval: true }),
      );
      for (const exit of await Promise.all(workers.map((w) => once(w, 'exit'))))
        assert.deepEqual(exit, [0]);
      await Promise.all(clients.map((c) => c.logout().then(() => c.close())));
    } finally {
      rmSync(folder, { recursive: true });
    }
    console.log('well');
  },

  /** Children are made while users are online; those that are programs of Node have clients of their own. */
  async children() {
    const clients = await Promise.all(
      Array.from({ length: 10 }, async (_, i) => {
        const c = client();
        await c.login(`user${i}`, app.ticket(`user${i}`));
        return c;
      }),
    );
    let lost = 0;
    for (const c of clients) c.on('disconnected', () => lost++);
    const forked = Array.from({ length: 3 }, () => fork(__filename, ['a-child']));
    const spawned = Array.from({ length: 10 }, () => spawn('true'));
    await Promise.all([
      ...forked.map((child) => ends(child, 0)),
      ...spawned.map((c) => ends(c, 0)),
    ]);
    assert.ok(clients.every((c) => c.ready));
    assert.equal(lost, 0);
    await Promise.all(clients.map((c) => c.logout()));
    console.log('well');
  },
  'a-child': () => logInAndOut(client(), `child${process.pid}`),

  /** What is required and never used neither keeps a process alive nor takes its signals. */
  async unused() {
    await ends(fork(__filename, ['loaded']), 0);
    const child = fork(__filename, ['loaded', 'and-waiting'], { silent: true });
    assert.equal(await says(child), 'ready');
    for (const signal of ['SIGUSR2', 'SIGCHLD', 'SIGWINCH'] as const) {
      child.kill(signal);
      assert.equal(await says(child), signal);
    }
    child.kill('SIGTERM');
    await ends(child, null, 'SIGTERM');
    console.log('well');
  },
  loaded() {
    assert.equal(typeof require('@opentim/node').TimClient, 'function');
    process.env['TIM_NATIVE_PATH'] ? require(process.env['TIM_NATIVE_PATH']) : addon();
    if (args[0] !== 'and-waiting') return process.disconnect();
    for (const signal of ['SIGUSR2', 'SIGCHLD', 'SIGWINCH'] as const)
      process.on(signal, () => process.send!(signal));
    setInterval(() => {}, 1000); // it goes on with its own life
    process.send!('ready');
  },

  /** process.exit with users online, with logins under way, and inside a listener. */
  async exits() {
    for (const moment of ['online', 'logging-in', 'listening'])
      await ends(fork(__filename, ['an-exit', moment]), 7);
    console.log('well');
  },
  async 'an-exit'() {
    const alice = client();
    if (args[0] === 'listening') alice.on('connected', () => process.exit(7));
    const answer = alice.login('alice', app.ticket('alice'));
    if (args[0] === 'logging-in') process.exit(7);
    await answer;
    if (args[0] === 'online') process.exit(7);
    await pass(10_000);
  },
};

/** The addon itself: the package loads it only for the first client. */
function addon(): void {
  require(`@opentim/node-${process.platform}-${process.arch}`);
}

void modes[mode!]!();
