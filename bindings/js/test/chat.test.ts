import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import TencentCloudChat, {
  type ChatSDK,
  Code,
  configure,
  EventKind,
  KickReason,
  LogLevel,
  LoginStatus,
  Platform,
  TimError,
  VERSION,
} from '../src/index.js';
import { installEngine } from '../src/engine.js';
import { event, result, ScriptedEngine, turn } from './fake/scripted.js';

const { EVENT, TYPES } = TencentCloudChat;

let engine: ScriptedEngine;
let lines: string[];
let apps = 1400000000;
beforeEach(() => {
  engine = new ScriptedEngine();
  lines = [];
  installEngine(engine);
  configure({
    endpoint: 'wss://tim.example.com',
    logger: (level, line) => lines.push(`${level} ${line}`),
  });
});

/** An instance of its own for each test. */
const create = (more = {}) => TencentCloudChat.create({ SDKAppID: ++apps, ...more });
const alice = { userID: 'alice', userSig: 'ticket' };

/** The error of a call that tim does not have, while the instance is not ready. */
const notReady = (code: number) => (error: TimError) =>
  error.code === Code.NotSupported && (error.cause as TimError).code === code;

/** Logs alice in, in the script. */
async function loggedIn(chat: ChatSDK): Promise<void> {
  const login = chat.login(alice);
  engine.client.be('alice');
  engine.client.deliver([
    event(EventKind.LoginStatus, { loginStatus: LoginStatus.LoggedIn }),
    event(EventKind.Ready, { ready: true }),
    result(1),
  ]);
  await login;
}

test('create: one instance for an SDKAppID, which may be a string of digits', () => {
  const chat = create();
  assert.equal(TencentCloudChat.create({ SDKAppID: apps }), chat);
  assert.equal(TencentCloudChat.create({ SDKAppID: String(apps) as never }), chat);
  assert.notEqual(create(), chat);
  assert.deepEqual(lines, []);
});

test('create without a number is null, and the log says why', () => {
  for (const options of [
    {},
    { SDKAppID: NaN },
    { SDKAppID: 'x' },
    { SDKAppID: 0 },
    undefined,
    null,
  ]) {
    lines.length = 0;
    assert.equal(TencentCloudChat.create(options as never), null);
    assert.deepEqual(lines, ['6 create: SDKAppID must be a number (ChatNoSDKAppID, 2000)']);
  }
});

test('create again with another endpoint is refused, and with none it is the instance there is', () => {
  const chat = create({ proxyServer: 'wss://one' });
  assert.equal(TencentCloudChat.create({ SDKAppID: apps }), chat);
  assert.equal(TencentCloudChat.create({ SDKAppID: apps, proxyServer: 'wss://one' }), chat);
  assert.throws(() => TencentCloudChat.create({ SDKAppID: apps, proxyServer: 'wss://two' }), {
    code: Code.ChatInvalidOperation,
    message: /^create: proxyServer is another one than that of SDKAppID \d+: destroy it first/,
  });
  const proxyServer = ['wss://one'] as never;
  assert.throws(
    () => create({ proxyServer }),
    /create: proxyServer must be a string, not an array/,
  );
});

test('the client is made at the first login: as web, for proxyServer or what is configured by then', async () => {
  const chat = create();
  assert.equal(engine.clients.length, 0);
  configure({ endpoint: 'wss://later' });
  engine.host.dataDir = '/files';
  void chat.login(alice);
  const { platform, url, dataDir } = engine.client.config;
  assert.deepEqual([platform, url, dataDir], [Platform.Web, 'wss://later', `/files/chat-${apps}`]);
  void create({ proxyServer: 'wss://proxy' }).login(alice);
  assert.equal(engine.client.config.url, 'wss://proxy');
});

test('login without an endpoint, or where the addon cannot be loaded, rejects with a sentence', async () => {
  engine.host.endpoint = 'wss://tim.example.com';
  configure({});
  engine.host.endpoint = '';
  await assert.rejects(create().login(alice), /call configure\(\{ endpoint/);
  engine.failure = new TimError(Code.NotSupported, 'tim', 'no build for this platform');
  await assert.rejects(create({ proxyServer: 'wss://x' }).login(alice), {
    code: Code.NotSupported,
  });
});

test('login without userID or userSig', async () => {
  const chat = create();
  for (const [options, code] of [
    [undefined, Code.ChatNoOptions],
    [null, Code.ChatNoOptions],
    [{}, Code.ChatNoUserID],
    [{ userID: '', userSig: 't' }, Code.ChatNoUserID],
    [{ userID: 'alice' }, Code.ChatNoUserSig],
    [{ userID: 7, userSig: 't' }, Code.InvalidParameters],
    [{ userID: 'alice', userSig: ['t'] }, Code.InvalidParameters],
  ] as [any, number][]) {
    await assert.rejects(chat.login(options), { code });
  }
  assert.equal(engine.clients.length, 0);
});

test('the shapes of a first and of a repeated login', async () => {
  const chat = create();
  const login = chat.login(alice);
  engine.client.deliver([result(1)]);
  assert.deepEqual(await login, {
    code: 0,
    data: { actionStatus: 'OK', errorCode: 0, errorInfo: '' },
  });
  const again = chat.login(alice);
  engine.client.deliver([result(2, Code.OK, { repeatLogin: true })]);
  const data = {
    actionStatus: 'OK',
    errorCode: 0,
    errorInfo: 'alice is logged in already',
    repeatLogin: true,
  };
  assert.deepEqual(await again, { code: 0, data });
});

test("codes are the original's where it has one; what it was is the cause", async () => {
  const chat = create();
  let request = 0;
  for (const [code, expected] of [
    [Code.ConnectRefused, Code.ChatNetworkError],
    [Code.AckTimeout, Code.ChatNetworkTimeout],
    [Code.NoNetwork, Code.ChatNoNetwork],
    [Code.Internal, Code.ChatUncaughtError],
    [Code.UserSigExpired, Code.TicketExpired],
  ] as const) {
    const login = chat.login(alice);
    engine.client.deliver([result(++request, code, { text: 'in words' })]);
    await assert.rejects(login, (error: TimError) => {
      assert.deepEqual([error.code, (error.cause as TimError).code], [expected, code]);
      assert.match(error.message, /in words/);
      assert.equal(error.retryable, (error.cause as TimError).retryable);
      return true;
    });
  }
  const login = chat.login(alice);
  engine.client.deliver([result(++request, Code.AccountBanned)]);
  await assert.rejects(login, { code: Code.AccountBanned });
});

test('logout of nobody rejects with 2024, without a client and with one', async () => {
  const chat = create();
  await assert.rejects(chat.logout(), { code: Code.ChatNotLoggedIn });
  assert.equal(engine.clients.length, 0);
  void chat.login(alice).catch(() => {});
  const logout = chat.logout();
  engine.client.deliver([result(2, Code.NotLoggedIn)]);
  await assert.rejects(logout, { code: Code.ChatNotLoggedIn });
});

test('handlers: context, once, off, the same one twice, and any name', async () => {
  const chat = create();
  const heard: unknown[] = [];
  const context = { name: 'context' };
  function handler(this: unknown, event: unknown) {
    heard.push([this, event]);
  }
  chat.on(EVENT.SDK_READY, handler, context);
  chat.on(EVENT.SDK_READY, handler, { name: 'another' });
  chat.once(EVENT.SDK_READY, () => heard.push('once'));
  chat.on('no such event', handler);
  await loggedIn(chat);
  engine.client.deliver([event(EventKind.Ready, { ready: true })]);
  const ready = { name: 'sdkStateReady', data: undefined };
  assert.deepEqual(heard, [[context, ready], 'once', [context, ready]]);
  chat.off(EVENT.SDK_READY, handler, context);
  engine.client.deliver([event(EventKind.Ready, { ready: true })]);
  assert.equal(heard.length, 3);
  assert.throws(() => chat.on(EVENT.SDK_READY, 'handler' as never), /handler must be a function/);
});

test('the state of the network is told when it changes only', async () => {
  const chat = create();
  const states: string[] = [];
  chat.on(EVENT.NET_STATE_CHANGE, ({ data }) => states.push(data.state));
  await loggedIn(chat);
  const lost = event(EventKind.Disconnected, { code: Code.Disconnected });
  const { Connecting, Connected } = EventKind;
  engine.client.deliver([event(Connected), lost, lost, event(Connecting), lost, event(Connected)]);
  assert.deepEqual(states, ['disconnected', 'connecting', 'disconnected', 'connected']);
});

test('every reason of a kick has its type', async () => {
  const chat = create();
  const types: string[] = [];
  chat.on(EVENT.KICKED_OUT, ({ data }) => types.push(data.type));
  await loggedIn(chat);
  for (const kickReason of [...Object.values(KickReason), 0] as const) {
    engine.client.deliver([event(EventKind.KickedOffline, { kickReason })]);
  }
  engine.client.deliver([event(EventKind.UserSigExpired)]);
  const { KICKED_OUT_MULT_ACCOUNT, KICKED_OUT_MULT_DEVICE, KICKED_OUT_REST_API } = TYPES;
  assert.deepEqual(types, [
    KICKED_OUT_MULT_ACCOUNT,
    KICKED_OUT_MULT_DEVICE,
    KICKED_OUT_REST_API,
    KICKED_OUT_MULT_ACCOUNT,
    KICKED_OUT_REST_API,
    KICKED_OUT_REST_API,
    TYPES.KICKED_OUT_USERSIG_EXPIRED,
  ]);
});

test('what tim does not have rejects, tells ERROR, and may be ignored', async () => {
  const chat = create();
  const errors: TimError[] = [];
  chat.on(EVENT.ERROR, ({ data }) => errors.push(data));
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => void unhandled.push(reason);
  process.on('unhandledRejection', note);
  chat.createTextMessage({ to: 'bob', payload: { text: 'hello' } });
  await assert.rejects(chat.sendMessage({}), notReady(Code.ChatNotReadyLoggedOut));
  await loggedIn(chat);
  await assert.rejects(chat.sendMessage({}), {
    code: Code.NotSupported,
    message: /tim keeps users signed in/,
  });
  chat.createTextMessage({});
  await turn();
  process.off('unhandledRejection', note);
  assert.deepEqual(unhandled, []);
  assert.deepEqual(
    errors.map(({ code }) => code),
    Array.from({ length: 4 }, () => Code.NotSupported),
  );
});

test('while a login is running, and after one failed, calls say that it is not ready for that', async () => {
  const chat = create();
  const login = chat.login(alice);
  engine.client.deliver([event(EventKind.LoginStatus, { loginStatus: LoginStatus.LoggingIn })]);
  await assert.rejects(chat.getGroupList(), notReady(Code.ChatNotReadyLoggingIn));
  engine.client.deliver([event(EventKind.LoginStatus), result(1, Code.TicketKeyMismatch)]);
  await assert.rejects(login);
  await assert.rejects(chat.getGroupList(), notReady(Code.ChatNotReadyLoginFailed));
});

test('destroy: SDK_DESTROY is the last event, and calls on the old instance say so', async () => {
  const chat = create();
  await loggedIn(chat);
  const heard: string[] = [];
  for (const name of Object.values(EVENT)) chat.on(name, (event: any) => heard.push(event.name));
  const destroyed = chat.destroy();
  const client = engine.client;
  assert.deepEqual(client.calls.slice(1), [['logout', 2]]);
  client.be('');
  client.deliver([event(EventKind.Ready, { ready: false }), result(2)]);
  await turn();
  assert.deepEqual(client.calls.slice(2), [['close']]);
  client.deliver([event(EventKind.Closed)]);
  assert.deepEqual(await destroyed, { code: 0, data: {} });
  assert.deepEqual(heard, [EVENT.SDK_NOT_READY, EVENT.SDK_DESTROY]);
  await assert.rejects(chat.login(alice), {
    code: Code.ChatNotReady,
    message: /call TencentCloudChat.create again/,
  });
  await assert.rejects(chat.sendMessage({}), notReady(Code.ChatNotReady));
  assert.notEqual(TencentCloudChat.create({ SDKAppID: apps }), chat);
});

test('after libtim closed by itself, the next login makes another client', async () => {
  const chat = create();
  await loggedIn(chat);
  engine.client.deliver([event(EventKind.Closed, { code: Code.Internal, text: 'panic' })]);
  assert.equal(chat.isReady(), false);
  await loggedIn(chat);
  assert.equal(engine.clients.length, 2);
  assert.equal(chat.isReady(), true);
});

test('setLogLevel: which lines are written, and what the engine is asked for', async () => {
  const chat = create();
  const write = (level: LogLevel) => engine.client.deliver([{ type: 'log', level, line: 'line' }]);
  void chat.login(alice);
  assert.equal(engine.client.config.logLevel, LogLevel.Info);
  for (const [number, expected] of [
    [1, ['4 line', '5 line', '6 line']],
    [2, ['5 line', '6 line']],
    [3, ['6 line']],
    [4, []],
  ] as const) {
    lines.length = 0;
    chat.setLogLevel(number);
    for (const level of [LogLevel.Debug, LogLevel.Info, LogLevel.Warn, LogLevel.Error]) {
      if (level !== LogLevel.Debug) write(level);
    }
    assert.deepEqual(lines, expected);
  }
  for (const level of [5, -1, 1.5, '1', undefined])
    assert.throws(() => chat.setLogLevel(level as never), /level must be/);
  const verbose = create();
  verbose.setLogLevel(0);
  void verbose.login(alice);
  assert.equal(engine.client.config.logLevel, LogLevel.Debug);
});

test('registerPlugin does nothing and says so', () => {
  const chat = create();
  chat.setLogLevel(1);
  chat.registerPlugin({ 'tim-upload-plugin': class {} });
  assert.deepEqual(lines, ['4 registerPlugin: tim has no plugins; nothing was registered']);
});

test('the version is that of tim', () => {
  assert.equal(TencentCloudChat.VERSION, VERSION);
});
