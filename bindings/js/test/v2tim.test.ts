import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';

import {
  Code,
  configure,
  EventKind,
  LogLevel,
  LogLevelEnum,
  TencentImSDKPlugin,
  TimError,
} from '../src/index.js';
import { installEngine } from '../src/engine.js';
import { event, result, ScriptedEngine, turn } from './fake/scripted.js';

const { v2TIMManager } = TencentImSDKPlugin;
const { V2TIM_LOG_NONE, V2TIM_LOG_INFO } = LogLevelEnum;

let engine: ScriptedEngine;
let lines: string[];
beforeEach(() => {
  engine = new ScriptedEngine();
  lines = [];
  installEngine(engine);
  configure({
    endpoint: 'wss://tim.example.com',
    logger: (level, line) => lines.push(`${level} ${line}`),
  });
});
afterEach(async () => {
  const ended = v2TIMManager.unInitSDK();
  engine.clients.at(-1)?.deliver([event(EventKind.Closed)]);
  await ended;
});

test('before initSDK and after unInitSDK every call resolves with 6013 and a sentence', async () => {
  for (const round of ['before', 'after']) {
    for (const call of [
      'login',
      'logout',
      'getLoginUser',
      'getLoginStatus',
      'getServerTime',
      'unInitSDK',
    ] as const) {
      const { code, desc } = await (v2TIMManager[call] as (...args: string[]) => Promise<any>)(
        'alice',
        'ticket',
      );
      assert.equal(code, Code.NotInitialized, `${call} ${round}`);
      assert.match(desc, new RegExp(`^${call}: call initSDK first`));
    }
    assert.equal((await v2TIMManager.callExperimentalAPI('wake')).code, Code.NotInitialized);
    assert.deepEqual(await v2TIMManager.getVersion(), { code: 0, desc: 'ok', data: '9.9.9' });
    if (round === 'after') break;
    assert.equal((await v2TIMManager.initSDK(1, V2TIM_LOG_NONE)).code, 0);
    const ended = v2TIMManager.unInitSDK();
    engine.client.deliver([event(EventKind.Closed)]);
    assert.deepEqual(await ended, { code: 0, desc: 'ok' });
  }
});

test('initSDK with arguments that cannot be: the argument is named', async () => {
  for (const [name, ...args] of [
    ['sdkAppID', 'x', V2TIM_LOG_NONE],
    ['sdkAppID', 0, V2TIM_LOG_NONE],
    ['sdkAppID', undefined, undefined],
    ['logLevel', 1, undefined],
    ['logLevel', 1, 1],
    ['listener', 1, V2TIM_LOG_NONE, 'listener'],
  ] as [string, ...any[]][]) {
    const { code, desc } = await v2TIMManager.initSDK(...(args as [number, LogLevelEnum]));
    assert.equal(code, Code.InvalidParameters);
    assert.match(desc, new RegExp(`^initSDK: ${name} `));
  }
  assert.equal((await v2TIMManager.addIMSDKListener(7 as never)).code, Code.InvalidParameters);
  assert.equal(engine.clients.length, 0);
});

test('initSDK for another SDKAppID is refused, and what there is goes on', async () => {
  await v2TIMManager.initSDK(1, V2TIM_LOG_NONE);
  const { code, desc, ...rest } = await v2TIMManager.initSDK(2, V2TIM_LOG_NONE);
  assert.equal(code, Code.InvalidOperation);
  assert.match(desc, /sdkAppID 1 is initialised: call unInitSDK first/);
  assert.deepEqual(rest, {});
  assert.equal((await v2TIMManager.getLoginStatus()).code, 0);
  assert.equal(engine.clients.length, 1);
});

test('initSDK says where the endpoint comes from, and what the engine says', async () => {
  engine.host.endpoint = 'wss://of.the.environment';
  configure({}); // the environment has one
  await v2TIMManager.initSDK(1, V2TIM_LOG_NONE);
  assert.equal(engine.client.config.url, 'wss://of.the.environment');
  const ended = v2TIMManager.unInitSDK();
  engine.client.deliver([event(EventKind.Closed)]);
  await ended;

  engine.host.endpoint = '';
  const nowhere = await v2TIMManager.initSDK(1, V2TIM_LOG_NONE);
  assert.equal(nowhere.code, Code.InvalidParameters);
  assert.match(nowhere.desc, /call configure\(\{ endpoint: 'wss:\/\/…' \}\) first/);

  configure({ endpoint: 'wss://tim.example.com' });
  engine.refusal = Code.LocalIOFailed;
  assert.equal((await v2TIMManager.initSDK(1, V2TIM_LOG_NONE)).code, Code.LocalIOFailed);
  engine.failure = new TimError(Code.NotSupported, 'tim', 'there is no build for this platform');
  assert.match((await v2TIMManager.initSDK(1, V2TIM_LOG_NONE)).desc, /no build for this platform/);
  engine.failure = new Error('dlopen');
  assert.equal((await v2TIMManager.initSDK(1, V2TIM_LOG_NONE)).code, Code.Internal);
});

test('configure refuses what cannot be, with its name', () => {
  for (const [name, settings] of [
    ['settings', null],
    ['endpoint', {}],
    ['endpoint', { endpoint: 7 }],
    ['label', { endpoint: 'wss://x', label: 7 }],
    ['logger', { endpoint: 'wss://x', logger: 'console' }],
    ['ticketProvider', { endpoint: 'wss://x', ticketProvider: 'ticket' }],
  ] as [string, any][]) {
    assert.throws(() => configure(settings), new RegExp(`^TimError: configure: ${name} `));
  }
});

test('the client is the device itself, with a folder of its own, and what was configured', async () => {
  engine.host.dataDir = '/files';
  configure({
    endpoint: 'wss://tim.example.com',
    label: 'phone',
    loginTimeoutMs: 7,
    ticketProvider: () => 'fresh',
  });
  await v2TIMManager.initSDK(1, V2TIM_LOG_INFO);
  const { platform, dataDir, label, loginTimeoutMs, logLevel, ticketProvider } =
    engine.client.config;
  assert.deepEqual(
    [platform, dataDir, label, loginTimeoutMs, logLevel, ticketProvider],
    [engine.host.platform, '/files/v2tim-1', 'phone', 7, LogLevel.Info, true],
  );
  engine.client.deliver([{ type: 'ticket', request: 3, userID: 'alice' }]);
  await turn();
  assert.deepEqual(engine.client.calls, [['provideTicket', 3, 'fresh']]);
});

test('all seven members may be there, and those that are get what happened', async () => {
  const heard: unknown[][] = [];
  await v2TIMManager.initSDK(1, V2TIM_LOG_NONE, {
    onConnecting: (...args: unknown[]) => heard.push(['onConnecting', ...args]),
    onConnectSuccess: (...args: unknown[]) => heard.push(['onConnectSuccess', ...args]),
    onConnectFailed: (...args: unknown[]) => heard.push(['onConnectFailed', ...args]),
    onKickedOffline: (...args: unknown[]) => heard.push(['onKickedOffline', ...args]),
    onUserSigExpired: (...args: unknown[]) => heard.push(['onUserSigExpired', ...args]),
    onSelfInfoUpdated: (...args: unknown[]) => heard.push(['onSelfInfoUpdated', ...args]),
    onUserStatusChanged: (...args: unknown[]) => heard.push(['onUserStatusChanged', ...args]),
  });
  const odd = { onConnecting: 'no function' } as never;
  await v2TIMManager.addIMSDKListener(odd);
  await v2TIMManager.addIMSDKListener({});
  engine.client.deliver([
    event(EventKind.Connecting),
    event(EventKind.Connected),
    event(EventKind.Disconnected, { code: Code.Disconnected, text: 'gone' }),
    event(EventKind.KickedOffline, { code: Code.KickedOffline }),
    event(EventKind.Disconnected),
    event(EventKind.UserSigWillExpire, { atMs: 1 }),
    event(EventKind.UserSigExpired, { code: Code.TicketExpired }),
  ]);
  assert.deepEqual(heard, [
    ['onConnecting'],
    ['onConnectSuccess'],
    ['onConnectFailed', Code.Disconnected, 'gone'],
    ['onKickedOffline'],
    ['onUserSigExpired'],
  ]);
  await v2TIMManager.removeIMSDKListener(odd);
});

test('a listener that throws reaches uncaughtException, and the others hear all the same', async () => {
  const heard: string[] = [];
  const thrower = {
    onConnecting() {
      throw new Error('mine');
    },
  };
  const other = { onConnecting: () => heard.push('other') };
  await v2TIMManager.initSDK(1, V2TIM_LOG_NONE, thrower);
  await v2TIMManager.addIMSDKListener(other);
  const uncaught: Error[] = [];
  process.setUncaughtExceptionCaptureCallback((error) => uncaught.push(error));
  engine.client.deliver([event(EventKind.Connecting)]);
  await turn();
  process.setUncaughtExceptionCaptureCallback(null);
  assert.deepEqual([heard, uncaught.map((error) => error.message)], [['other'], ['mine']]);
  await v2TIMManager.removeIMSDKListener(other);
});

test('unInitSDK ends the login under way, and nothing is told after it', async () => {
  const heard: string[] = [];
  const listener = { onKickedOffline: () => heard.push('kicked') };
  await v2TIMManager.initSDK(1, V2TIM_LOG_NONE, listener);
  await v2TIMManager.addIMSDKListener(listener);
  const login = v2TIMManager.login('alice', 'ticket');
  const ended = v2TIMManager.unInitSDK();
  engine.client.deliver([
    event(EventKind.KickedOffline),
    result(1, Code.Interrupted),
    event(EventKind.Closed),
  ]);
  assert.equal((await login).code, Code.Interrupted);
  assert.equal((await ended).code, 0);
  assert.deepEqual(heard, []);
  await v2TIMManager.removeIMSDKListener(listener);
});

test('after libtim closed by itself, initSDK makes another client', async () => {
  await v2TIMManager.initSDK(1, V2TIM_LOG_NONE);
  engine.client.deliver([event(EventKind.Closed, { code: Code.Internal, text: 'panic' })]);
  assert.equal((await v2TIMManager.getLoginStatus()).code, Code.NotInitialized);
  assert.equal((await v2TIMManager.initSDK(1, V2TIM_LOG_NONE)).code, 0);
  assert.equal(engine.clients.length, 2);
});

test('a manager of what tim does not have is no promise, and prints as nothing', async () => {
  const managed = v2TIMManager.getMessageManager();
  assert.equal(await Promise.resolve(managed), managed);
  assert.equal(JSON.stringify({ managed }), '{"managed":{}}');
  assert.equal(
    `${typeof (managed as any)[Symbol.iterator]} ${(managed as any).$$typeof}`,
    'undefined undefined',
  );
});

test('the log: lines of the level that was asked for, and no ticket, whatever happens', async () => {
  await v2TIMManager.initSDK(1, V2TIM_LOG_INFO);
  const line = (level: LogLevel, line: string) => ({ type: 'log', level, line }) as const;
  engine.client.deliver([
    line(LogLevel.Debug, 'too low'),
    line(LogLevel.Info, 'fine'),
    line(LogLevel.Error, 'bad'),
  ]);
  assert.deepEqual(lines.splice(0), ['4 fine', '6 bad']);
  await v2TIMManager.initSDK(1, V2TIM_LOG_NONE);
  engine.client.deliver([line(LogLevel.Error, 'bad')]);
  assert.deepEqual(lines, []);
});

test('without a logger the lines go to the console, each by its level', async () => {
  configure({ endpoint: 'wss://tim.example.com' });
  const printed: string[] = [];
  const real = { ...console };
  for (const method of ['debug', 'info', 'warn', 'error'] as const) {
    console[method] = (line: string) => printed.push(`${method} ${line}`);
  }
  try {
    await v2TIMManager.initSDK(1, LogLevelEnum.V2TIM_LOG_DEBUG);
    for (const level of [LogLevel.Debug, LogLevel.Info, LogLevel.Warn, LogLevel.Error]) {
      engine.client.deliver([{ type: 'log', level, line: 'line' }]);
    }
  } finally {
    Object.assign(console, real);
  }
  assert.deepEqual(printed, [
    'debug tim: line',
    'info tim: line',
    'warn tim: line',
    'error tim: line',
  ]);
});
