// What the facades answer to arguments of any kind: the argument is named, nothing reaches the engine, nothing is thrown that is
// not a TimError. TimClient's own are in arguments.test.ts.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { inspect } from 'node:util';

import TencentCloudChat, {
  Code,
  configure,
  LogLevelEnum,
  TencentImSDKPlugin,
  TimClient,
  TimError,
} from '../src/index.js';
import { installEngine } from '../src/engine.js';
import { ScriptedEngine } from './fake/scripted.js';

const { v2TIMManager } = TencentImSDKPlugin;
const engine = new ScriptedEngine();
const chat = TencentCloudChat.create({ SDKAppID: 1400000001 });
before(async () => {
  installEngine(engine);
  configure({ endpoint: 'wss://tim.example.com' });
  await v2TIMManager.initSDK(1400000001, LogLevelEnum.V2TIM_LOG_NONE);
  engine.client.be('alice'); // so that nothing ends for lack of a login
});

const noText = [undefined, null, 7, NaN, 10n, true, Symbol('s'), {}, ['alice'], () => 'alice'];
const wrongText = ['a\0b', '\ud800', 'x\udc00y', 'x'.repeat(1 << 20)];
const text = [...noText, ...wrongText];
const noObject = [null, 7, 'text', true, 10n, Symbol('s'), () => {}];

/** A call of V2TIM's with a value in the place of an argument, and what the answer calls it. */
const v2timCalls: [string, unknown[], (value: any) => Promise<{ code: number; desc: string }>][] = [
  ['initSDK: sdkAppID', ['7', NaN, {}, 0, -1, 1.5, 2 ** 53], (v) => v2TIMManager.initSDK(v, 0)],
  ['initSDK: logLevel', [...text, -1, 1, 99], (v) => v2TIMManager.initSDK(1, v)],
  ['initSDK: listener', noObject, (v) => v2TIMManager.initSDK(1400000001, 0, v)],
  ['login: userID', [...text, ''], (v) => v2TIMManager.login(v, 'ticket')],
  ['login: userSig', [...text, ''], (v) => v2TIMManager.login('alice', v)],
  ['addIMSDKListener: listener', [...noObject, undefined], (v) => v2TIMManager.addIMSDKListener(v)],
  ['callExperimentalAPI: param', noObject, (v) => v2TIMManager.callExperimentalAPI('wake', v)],
  [
    'renewUserSig: param.userSig',
    [...text, ''],
    (userSig) => v2TIMManager.callExperimentalAPI('renewUserSig', { userSig }),
  ],
  [
    'setBackground: background',
    [undefined, null, 1, 'yes', {}],
    (background) => v2TIMManager.callExperimentalAPI('setBackground', { background }),
  ],
];

for (const [named, values, call] of v2timCalls) {
  test(`V2TIM names what is wrong: ${named}`, async () => {
    for (const value of values) {
      const { code, desc, ...rest } = await call(value);
      const what = inspect(value).slice(0, 40);
      assert.deepEqual([code, rest], [Code.InvalidParameters, {}], what);
      assert.ok(desc.startsWith(`${named} `), `${what}: ${desc}`);
    }
  });
}

test('V2TIM: a call that is none of the experimental ones says which there are', async () => {
  for (const api of [...text, '', 'then', 'toString']) {
    const { code, desc } = await v2TIMManager.callExperimentalAPI(api as string);
    assert.equal(code, Code.NotSupported);
    assert.match(desc, /api is renewUserSig, getKick, wake or setBackground/);
  }
});

/** The same for Chat: what throws or rejects is a TimError that names the argument. */
const chatCalls: [string, unknown[], (value: any) => unknown][] = [
  ['login: userID', text.slice(2), (userID) => chat.login({ userID, userSig: 'ticket' })],
  ['login: userSig', text.slice(2), (userSig) => chat.login({ userID: 'alice', userSig })],
  ['login: userID is missing', [undefined, null, '', 0, NaN], (userID) => login({ userID })],
  ['login: userSig is missing', [undefined, null, '', 0], (userSig) => login({ userSig })],
  ['login: the options are empty', [undefined, null, '', 0], (options) => chat.login(options)],
  ['on: eventName', text, (name) => chat.on(name, () => {})],
  ['once: eventName', text, (name) => chat.once(name, () => {})],
  ['on: handler', [undefined, null, 7, 'handler', {}], (handler) => chat.on('error', handler)],
  ['once: handler', [undefined, null, {}], (handler) => chat.once('error', handler)],
  ['setLogLevel: level', [...text, -1, 5, 0.5], (level) => chat.setLogLevel(level)],
  ['create: proxyServer', [7, {}, ...wrongText], (proxyServer) => create({ proxyServer })],
  ['create: proxyServer', ['wss://another'], (proxyServer) => create({ proxyServer })],
];

const login = (more: object) => chat.login({ userID: 'alice', userSig: 'ticket', ...more });
const create = (more: object) => TencentCloudChat.create({ SDKAppID: 1400000001, ...more });

for (const [named, values, call] of chatCalls) {
  test(`Chat names what is wrong: ${named}, such as ${inspect(values[0])}`, async () => {
    for (const value of values) {
      const what = inspect(value).slice(0, 40);
      const refused = async () => await call(value);
      await assert.rejects(refused, (error: TimError) => {
        assert.ok(error instanceof TimError, what);
        assert.ok(error.message.startsWith(named), `${what}: ${error.message}`);
        return true;
      });
    }
  });
}

test('Chat: create without an SDKAppID that is a number makes nothing', () => {
  const lines: string[] = [];
  configure({ endpoint: 'wss://tim.example.com', logger: (_, line) => lines.push(line) });
  const values = [undefined, null, NaN, 0, -1, '', 'x', 10n, Symbol('s'), {}, [7], () => 7];
  for (const SDKAppID of values) assert.equal(create({ SDKAppID }), null);
  for (const options of [undefined, null, 7, 'text', () => {}])
    assert.equal(TencentCloudChat.create(options as never), null);
  assert.equal(lines.length, values.length + 5);
  assert.match(lines[0]!, /^create: SDKAppID must be a number/);
});

test('TimClient: no event, listener or signal that cannot be one', async () => {
  const client = new TimClient({ endpoint: 'wss://tim.example.com', sdkAppID: 1 });
  const odd = { toString: () => assert.fail('it was asked for its name') };
  for (const event of [...text, odd, '__proto__', 'constructor'])
    assert.throws(
      () => client.on(event as never, () => {}),
      /^TimError: on: event must be one of /,
    );
  for (const listener of [undefined, null, 7, 'listener', {}])
    assert.throws(
      () => client.once('ready', listener as never),
      /once: listener must be a function/,
    );
  const signals = [null, 7, 'now', {}, { aborted: false, addEventListener() {} }];
  for (const signal of signals)
    await assert.rejects(
      client.login('alice', 'ticket', { signal: signal as never }),
      /^TimError: login: options\.signal must be an /,
    );
});

test('nothing of all this reached the engine', () => {
  const calls = engine.clients.flatMap((client) => client.calls);
  assert.deepEqual(calls, []);
});
