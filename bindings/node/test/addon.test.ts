// The addon by itself: what the stories do not reach.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { TimClient } from '@opentim/node';

import type { EngineClient, EventItem, Item } from '../../js/src/engine.js';
import { NodeEngine } from '../src/engine.js';
import { type Handle, loadNative } from '../src/native.js';
import { config } from './config.js';

const INVALID = 6017;
const NOT_INITIALIZED = 6013;
const NOT_LOGGED_IN = 6014;
const QUEUE_FULL = 6212;
const INTERNAL = 7012;
const CLOSED = 10;

/** Keeps JavaScript's thread busy, so that what happens has to wait. */
function block(ms: number): void {
  for (const until = Date.now() + ms; Date.now() < until;);
}

/** A client with what is delivered to it, in batches. */
function open(): { client: EngineClient; batches: Item[][]; closed: Promise<void> } {
  const batches: Item[][] = [];
  let tell: () => void;
  const closed = new Promise<void>((resolve) => (tell = resolve));
  const client = new NodeEngine().create(config, (items) => {
    batches.push([...items]);
    const last = items[items.length - 1]!;
    if (last.type === 'event' && last.kind === CLOSED) tell();
  });
  assert.notEqual(typeof client, 'number');
  (client as EngineClient).ref!();
  return { client: client as EngineClient, batches, closed };
}

/** The calls that can be made while nothing is delivered: 1,024 wait in libtim, 1,000 in the addon, one in between. */
const MOST = 1024 + 1000 + 1;

/** Makes calls that are answered at once, while nothing is delivered, until the addon's queue is full. */
function fill(client: EngineClient): void {
  for (let i = 0; i < MOST; i++) {
    let code: number;
    while ((code = client.logout(i)) === QUEUE_FULL) block(5); // libtim's thread had no turn yet
    assert.equal(code, 0);
  }
}

/** All their requests, in order. */
const all = Array.from({ length: MOST }, (_, i) => i);

/** The requests that were answered, in this order. */
function answered(batches: Item[][]): number[] {
  return batches.flat().flatMap((item) => (item.type === 'result' ? [item.request] : []));
}

test('more than 1,000 items come in several turns, in order, and timers come between them', async () => {
  const { client, batches, closed } = open();
  const seen: number[] = [];
  setTimeout(() => seen.push(batches.length));
  fill(client);
  assert.equal(batches.length, 0, 'nothing is delivered from inside a call');
  while (answered(batches).length < MOST) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.deepEqual(answered(batches), all);
  assert.ok(batches.every(({ length }) => length >= 1 && length <= 1000));
  if ('bun' in process.versions) return; // which takes all that waits before it looks at its timers
  assert.ok(seen[0]! < batches.length, 'a timer was not starved');
  client.close();
  await closed;
});

test('close returns although the queue is full, and nothing is lost', async () => {
  const { client, batches, closed } = open();
  fill(client);
  assert.equal(client.logout(MOST), QUEUE_FULL);
  assert.equal(client.close(), 0);
  assert.equal(client.close(), NOT_INITIALIZED);
  await closed;
  assert.deepEqual(answered(batches), all);
  assert.ok(batches.every(({ length }) => length <= 1000));
});

test('a program that is too busy to take what happens: its client is closed, and every call is answered', async () => {
  const { client, batches, closed } = open();
  const made: number[] = [];
  let code = 0;
  for (let i = 0; code === 0 || code === QUEUE_FULL; i++) {
    code = i % 2 ? client.logout(i) : client.login(i, `user${i}`, 'ticket'); // each has events
    if (code === 0) made.push(i);
    else block(5);
  }
  assert.equal(code, NOT_INITIALIZED);
  await closed;
  const last = batches.flat().at(-1) as EventItem;
  assert.deepEqual([last.kind, last.code], [CLOSED, INTERNAL]);
  const answers = answered(batches).sort((a, b) => a - b);
  assert.deepEqual(answers, made);
});

test('after close every call returns a code, and the getters say that nobody is there', async () => {
  const { client, closed } = open();
  client.close();
  await closed;
  assert.equal(client.login(1, 'alice', 'ticket'), NOT_INITIALIZED);
  assert.equal(client.logout(2), NOT_INITIALIZED);
  assert.equal(client.wake(), NOT_INITIALIZED);
  assert.deepEqual(
    [client.status(), client.ready(), client.user(), client.serverTimeMs()],
    [0, false, '', 0],
  );
  client.ref!();
  client.unref!();
});

test('an answer has all members', async () => {
  const { client, batches, closed } = open();
  client.logout(42);
  client.close();
  await closed;
  const answer = batches.flat().find(({ type }) => type === 'result');
  const { text, ...rest } = answer as Extract<Item, { type: 'result' }>;
  assert.ok(text.length > 5);
  assert.deepEqual(rest, {
    type: 'result',
    request: 42,
    code: NOT_LOGGED_IN,
    repeatLogin: false,
    ticketExpiresMs: 0,
    session: '',
  });
});

test('whatever the functions of the addon are given, they return a code or throw what a getter threw', async () => {
  const native = loadNative() as unknown as Record<string, (...args: unknown[]) => unknown>;
  const { pump } = native;
  let over: () => void;
  const done = new Promise<void>((resolve) => (over = resolve));
  const handle = native['create']!(config, function deliver(items: Item[]) {
    setImmediate(() => pump!(handle, deliver));
    const last = items[items.length - 1]!;
    if (last.type === 'event' && last.kind === CLOSED) over();
  });
  const thrower = new Proxy({}, { get: () => assert.fail('a getter') });
  const values: unknown[] = [
    undefined,
    null,
    true,
    0,
    -1,
    1e300,
    NaN,
    10n,
    '',
    'alice',
    'a\0b',
    '\ud800',
    'x'.repeat(1 << 20),
    Symbol('s'),
    {},
    [],
    () => {},
    thrower,
    new Proxy({}, {}),
    Object.create(handle as object),
    new Date(),
    handle,
    config,
    { ...config, url: 7 },
    { ...config, sdkAppID: -1 },
    { ...config, platform: 1e12 },
    { ...config, ticketProvider: 'yes' },
  ];
  const pick = () => values[Math.floor(Math.random() * values.length)];
  const { close, ...functions } = native; // it would make the rest pointless
  assert.equal(typeof close, 'function');
  for (let i = 0; i < 30_000; i++) {
    const [name, call] = Object.entries(functions)[i % Object.keys(functions).length]!;
    const args = Array.from({ length: Math.floor(Math.random() * 5) }, pick);
    if (i % 3 === 0) args[0] = handle;
    if (name === 'create' && args[0] === config) args[1] = undefined; // a client would be made
    try {
      call(...args);
    } catch (error) {
      assert.match(String(error), /a getter/);
    }
  }
  for (const name of [
    'login',
    'logout',
    'renew',
    'provideTicket',
    'wake',
    'setBackground',
    'close',
  ])
    assert.equal(native[name]!({}, 1, 'alice', 'ticket'), INVALID, name);
  native['hold']!(handle, true);
  assert.equal(close!(handle), 0);
  await done;
});

test("a clock that stands still, as an app's tests may put in the place of the real one, does not stop a client", async () => {
  const still = { setTimeout: () => ({}), setImmediate: () => ({}) };
  const places = [globalThis, createRequire(__filename)('node:timers')];
  const real = places.map(({ setTimeout, setImmediate }) => ({ setTimeout, setImmediate }));
  for (const place of places) Object.assign(place, still);
  try {
    const client = new TimClient({ endpoint: 'ws://127.0.0.1:1', sdkAppID: 1, loginTimeoutMs: 1 });
    for (let i = 0; i < 3; i++) await assert.rejects(client.login('alice', 'ticket'));
    await client.close();
  } finally {
    places.forEach((place, i) => Object.assign(place, real[i]));
  }
});

/** Collects garbage, until done. */
async function collect(done: () => boolean): Promise<void> {
  const { Bun } = globalThis as { Bun?: { gc(sync: boolean): void } };
  if (Bun === undefined) setFlagsFromString('--expose-gc');
  const gc = Bun ? () => Bun.gc(true) : (runInNewContext('gc') as () => void);
  for (let tries = 0; !done() && tries < 3000; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    gc();
  }
}

test('a getter may be called as long as anybody has it, also when its handle is garbage', async () => {
  const native = loadNative();
  const make = () =>
    new Promise<() => number>((resolve) => {
      let handle: Handle | undefined = native.create(config, function deliver() {
        resolve(handle!.status); // all that was told is that it is closed
        handle = undefined;
      }) as Handle;
      native.hold(handle, true);
      native.close(handle);
    });
  const getters = await Promise.all(Array.from({ length: 100 }, make));
  let rounds = 0;
  await collect(() => ++rounds > 5);
  assert.ok(getters.every((status) => status() === 0));
});

test('a client that is closed becomes garbage, with its listeners', async () => {
  const make = async () => {
    const client = new TimClient({ endpoint: 'ws://127.0.0.1:1', sdkAppID: 1 });
    await client.close();
    return new WeakRef(client);
  };
  let alive = await Promise.all(Array.from({ length: 100 }, make));
  await collect(() => {
    alive = alive.filter((client) => client.deref() !== undefined);
    return alive.length === 0;
  });
  assert.equal(alive.length, 0);
});

test('a name of the host that is too long for a label is cut, between characters', () => {
  const os = createRequire(__filename)('node:os') as { hostname(): string };
  const { hostname } = os;
  os.hostname = () => `${'x'.repeat(61)}😀😀`;
  try {
    assert.equal(new NodeEngine().host.label, 'x'.repeat(61));
  } finally {
    os.hostname = hostname;
  }
});
