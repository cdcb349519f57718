import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { Code, EventKind, TimClient, TimError } from '../src/index.js';
import { installEngine } from '../src/engine.js';
import { asyncDisposeOf } from '../src/host.js';
import { event, result, ScriptedEngine, turn } from './fake/scripted.js';

let engine: ScriptedEngine;
let client: TimClient;
beforeEach(() => {
  engine = new ScriptedEngine();
  installEngine(engine);
  client = new TimClient({ endpoint: 'wss://tim.example.com', sdkAppID: 1 });
});

const names = () => engine.client.calls.map(([name]) => name);

/** Checks that a promise was aborted for a reason. */
async function aborted(promise: Promise<unknown>, reason: unknown): Promise<void> {
  await assert.rejects(promise, (error: TimError) => {
    assert.ok(error instanceof TimError);
    assert.deepEqual([error.code, error.name, error.cause], [Code.Canceled, 'AbortError', reason]);
    return true;
  });
}

test('a signal that is aborted before the login: nothing is sent', async () => {
  await aborted(client.login('alice', 't', { signal: AbortSignal.abort('why') }), 'why');
  assert.deepEqual(engine.client.calls, []);
});

test('a signal that is aborted during the login ends it, and nobody is logged in', async () => {
  const controller = new AbortController();
  const login = client.login('alice', 't', { signal: controller.signal });
  controller.abort('enough');
  await aborted(login, 'enough');
  assert.deepEqual(engine.client.calls, [
    ['login', 1, 'alice', 't'],
    ['logout', 2],
  ]);
  engine.client.deliver([result(1, Code.LoggedOutBeforeLoginFinished), result(2)]);
  await turn();
});

test('a signal that is aborted when the login has succeeded, but before that is known here, logs out too', async () => {
  const controller = new AbortController();
  const login = client.login('alice', 't', { signal: controller.signal });
  engine.client.be('alice');
  client.on('ready', () => controller.abort('enough'));
  engine.client.deliver([event(EventKind.Ready, { ready: true }), result(1)]);
  await aborted(login, 'enough');
  assert.deepEqual(names(), ['login', 'logout']);
});

test('a signal that is aborted after the login changes nothing, and holds nothing', async () => {
  const controller = new AbortController();
  const { signal } = controller;
  let listeners = 0;
  const counted = {
    get aborted() {
      return signal.aborted;
    },
    addEventListener: (type: 'abort', listener: () => void) => {
      listeners++;
      signal.addEventListener(type, listener);
    },
    removeEventListener: (type: 'abort', listener: () => void) => {
      listeners--;
      signal.removeEventListener(type, listener);
    },
  };
  const login = client.login('alice', 't', { signal: counted });
  engine.client.deliver([result(1)]);
  await login;
  assert.equal(listeners, 0);
  controller.abort();
  assert.deepEqual(names(), ['login']);
});

test('an aborted login that somebody else waits for goes on', async () => {
  const controller = new AbortController();
  const first = client.login('alice', 't', { signal: controller.signal });
  const second = client.login('alice', 't');
  controller.abort('enough');
  await aborted(first, 'enough');
  assert.deepEqual(names(), ['login', 'login']);
  engine.client.deliver([result(1), result(2)]);
  await second;
  assert.deepEqual(names(), ['login', 'login']);
});

test('an aborted switch ends the new login', async () => {
  engine.client.be('alice');
  const controller = new AbortController();
  const login = client.login('bob', 't', { signal: controller.signal });
  controller.abort('enough');
  await aborted(login, 'enough');
  assert.deepEqual(names(), ['login', 'logout']);
});

test('an aborted repeated login leaves the user logged in', async () => {
  engine.client.be('alice');
  const controller = new AbortController();
  const login = client.login('alice', 't', { signal: controller.signal });
  controller.abort('enough');
  await aborted(login, 'enough');
  engine.client.deliver([result(1, Code.OK, { repeatLogin: true })]);
  await turn();
  assert.deepEqual(names(), ['login']);
});

test('an aborted repeated login that turns out to be a real one, because of a kick in between, is taken back', async () => {
  engine.client.be('alice');
  const controller = new AbortController();
  const login = client.login('alice', 't', { signal: controller.signal });
  controller.abort('enough');
  await aborted(login, 'enough');
  engine.client.deliver([result(1)]);
  await turn();
  assert.deepEqual(names(), ['login', 'logout']);
});

test('a login after an aborted one is not touched by it', async () => {
  engine.client.be('alice');
  const controller = new AbortController();
  const first = client.login('alice', 't', { signal: controller.signal });
  controller.abort('enough');
  await aborted(first, 'enough');
  const second = client.login('alice', 't');
  engine.client.deliver([result(1), result(2)]);
  await second;
  assert.deepEqual(names(), ['login', 'login']);
});

test('a signal that cannot be listened to: its error is the answer, and nothing is sent', async () => {
  const signal = {
    aborted: false,
    addEventListener: () => assert.fail('mine'),
    removeEventListener() {},
  };
  await assert.rejects(client.login('alice', 't', { signal }), /mine/);
  assert.deepEqual(engine.client.calls, []);
});

test('AbortSignal.timeout is the cause of its error', async () => {
  const login = client.login('alice', 't', { signal: AbortSignal.timeout(1) });
  const [settled] = await Promise.allSettled([login, turn()]); // the signal alone does not keep the process
  assert.equal(
    ((settled as PromiseRejectedResult).reason as TimError & { cause: Error }).cause.name,
    'TimeoutError',
  );
});

test('where JavaScript has no Symbol.asyncDispose, another symbol stands for it', () => {
  assert.equal(asyncDisposeOf({}), Symbol.for('Symbol.asyncDispose'));
  assert.equal(asyncDisposeOf(Symbol), Symbol.asyncDispose);
});

test('await using logs out and closes, whether or not somebody is logged in', async () => {
  for (const code of [Code.OK, Code.NotLoggedIn]) {
    const from = engine.clients.length;
    const scope = (async () => {
      await using inner = new TimClient({ endpoint: 'wss://tim.example.com', sdkAppID: 1 });
      assert.equal(inner.user, '');
    })();
    await turn();
    const native = engine.clients[from]!;
    assert.deepEqual(native.calls, [['logout', 1]]);
    native.deliver([result(1, code)]);
    await turn();
    assert.deepEqual(native.calls, [['logout', 1], ['close']]);
    native.deliver([event(EventKind.Closed)]);
    await scope;
  }
  const closed = client.close();
  engine.clients[0]!.deliver([event(EventKind.Closed)]);
  await closed;
  await client[Symbol.asyncDispose]();
});
