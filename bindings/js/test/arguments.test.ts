// What apps hand over: anything.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { inspect } from 'node:util';

import { Code, LogLevel, Platform, TimClient, TimError } from '../src/index.js';
import { installEngine } from '../src/engine.js';
import { ScriptedEngine } from './fake/scripted.js';

let engine: ScriptedEngine;
beforeEach(() => {
  engine = new ScriptedEngine();
  installEngine(engine);
});

const options = { endpoint: 'wss://tim.example.com', sdkAppID: 1400000001 };
const open = (more = {}) => new TimClient({ ...options, ...more });
const code = (number: number) => (error: unknown) =>
  error instanceof TimError && error.code === number;
test('what an engine is given, by default', () => {
  open();
  assert.deepEqual(engine.client.config, {
    platform: Platform.Mac,
    sdkAppID: 1400000001,
    url: 'wss://tim.example.com',
    dataDir: '',
    instance: '',
    label: 'desk',
    sdk: 'tim-scripted/1',
    caPem: '',
    loginTimeoutMs: 0,
    logoutTimeoutMs: 0,
    allowInsecure: false,
    background: false,
    logLevel: LogLevel.None,
    ticketProvider: false,
  });
});

test('what an engine is given of options, and of a host with a folder', () => {
  engine.host.dataDir = '/files';
  open({
    loginTimeoutMs: 100,
    platform: Platform.Web,
    ticketProvider: async () => 'x',
    label: 'phone',
  });
  const { config } = engine.client;
  assert.equal(config.dataDir, '/files/app-1400000001');
  assert.deepEqual(
    [config.loginTimeoutMs, config.platform, config.label],
    [100, Platform.Web, 'phone'],
  );
  assert.equal(config.ticketProvider, true);
  open({ dataDir: '' });
  assert.equal(engine.client.config.dataDir, '');
});

test('every wrong option is refused with its name', () => {
  for (const [name, ...values] of [
    ['options', null, 'wss://x', 7],
    ['endpoint', undefined, '', null, 7, 'a\0b', 'x'.repeat(70000)],
    ['sdkAppID', undefined, '1400000001', 0, -1, 1.5, NaN, 2 ** 53],
    ['platform', 0, 99, 'web', null],
    ['label', 7, '\ud800', {}, 'x'.repeat(65), '爱'.repeat(22), '😀'.repeat(17)],
    ['dataDir', true],
    ['instance', [], 'x'.repeat(65), 'ü', 'a\nb'],
    ['caPem', new Uint8Array(3)],
    ['loginTimeoutMs', -1, '5', 2 ** 31, Infinity],
    ['logoutTimeoutMs', 0.5],
    ['allowInsecure', 1, 'yes'],
    ['background', null],
    ['logLevel', 1, 'debug'],
    ['ticketProvider', 'ticket', {}],
  ] as [string, ...unknown[]][]) {
    for (const value of values) {
      const given = name === 'options' ? value : { ...options, [name]: value };
      assert.throws(
        () => new TimClient(given as never),
        (error) => code(Code.InvalidParameters)(error) && (error as Error).message.includes(name),
        `${name} ${inspect(value).slice(0, 40)}`,
      );
    }
  }
  assert.equal(engine.clients.length, 0);
});

test('every wrong argument is refused with its name, and none reaches the engine', async () => {
  const client = open();
  const big = 'x'.repeat(1 << 20);
  for (const value of [undefined, null, 7, '', {}, ['alice'], 'a\0', '\udc00', big]) {
    for (const [name, call] of [
      ['userID', () => client.login(value as never, 'ticket')],
      ['ticket', () => client.login('alice', value as never)],
      ['ticket', () => client.renew(value as never)],
    ] as const) {
      await assert.rejects(
        call(),
        (error) => code(Code.InvalidParameters)(error) && String(error).includes(name),
      );
    }
  }
  await assert.rejects(
    client.login('alice', 'ticket', { signal: 7 as never }),
    /options\.signal must be an object/,
  );
  await assert.rejects(
    client.login('alice', 'ticket', null as never),
    /options must be an object, not null/,
  );
  assert.throws(
    () => client.setBackground('yes' as never),
    /background must be true or false, not string/,
  );
  assert.throws(
    () => client.on('kicked' as never, () => {}),
    /event must be one of connecting, connected/,
  );
  assert.throws(() => client.on('toString' as never, () => {}), /event must be one of/);
  assert.throws(() => client.once('ready', 7 as never), /listener must be a function, not number/);
  assert.deepEqual(engine.client.calls, []);
});

test('what the engine calls an invalid argument is explained', async () => {
  const client = open();
  engine.client.code = Code.InvalidParameters;
  for (const userID of ['a'.repeat(33), '爱'.repeat(11)])
    await assert.rejects(client.login(userID, 'ticket'), /^TimError: login: userID must have 1 to/);
  await assert.rejects(client.login('alice', 'x'), /^TimError: login alice: ticket must have at/);
  await assert.rejects(client.renew('x'), /^TimError: renew: ticket must have at most 16 KiB/);
  engine.refusal = Code.InvalidParameters;
  assert.throws(open, /^TimError: new TimClient: endpoint must be wss:.* this very machine \(Inv/);
  assert.throws(() => open({ allowInsecure: true }), /endpoint must be wss:\/\/ or ws:\/\/host/);
  assert.throws(() => open({ caPem: 'x' }), /endpoint must be .*; or caPem has no certificate/);
  engine.refusal = Code.LocalIOFailed;
  const nowhere = () => open({ dataDir: '/no/where' });
  assert.throws(nowhere, /new TimClient: dataDir "\/no\/where" cannot be read or written/);
  assert.throws(nowhere, code(Code.LocalIOFailed));
});
