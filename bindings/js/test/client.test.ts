import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { inspect } from 'node:util';

import {
  Code,
  EventKind,
  KickReason,
  LogLevel,
  LoginStatus,
  Platform,
  TimClient,
  TimError,
} from '../src/index.js';
import { installEngine } from '../src/engine.js';
import { event, result, ScriptedEngine, turn } from './fake/scripted.js';

let engine: ScriptedEngine;
beforeEach(() => {
  engine = new ScriptedEngine();
  installEngine(engine);
});

const options = { endpoint: 'wss://tim.example.com', sdkAppID: 1400000001 };
const open = (more = {}) => new TimClient({ ...options, ...more });
const code = (number: number) => (error: unknown) =>
  error instanceof TimError && error.code === number;
test('a login resolves with what the engine says of it', async () => {
  const client = open();
  const login = client.login('alice', 'ticket');
  assert.deepEqual(engine.client.calls, [['login', 1, 'alice', 'ticket']]);
  engine.client.deliver([
    result(1, Code.OK, { session: 's', ticketExpiresMs: 1000, repeatLogin: true }),
  ]);
  assert.deepEqual(await login, { repeatLogin: true, session: 's', ticketExpires: new Date(1000) });
});

test('an error has the code, its name, its words, and says whether trying again may help', async () => {
  const client = open();
  const login = client.login('alice', 'ticket');
  engine.client.deliver([result(1, Code.ConnectRefused, { text: 'dial tcp: connection refused' })]);
  await assert.rejects(login, {
    name: 'TimError',
    code: Code.ConnectRefused,
    codeName: 'ConnectRefused',
    retryable: true,
    message: 'login alice: dial tcp: connection refused (ConnectRefused, 9511)',
  });
  const again = client.login('alice', 'ticket');
  const text = 'login alice: the ticket is expired (70001): it expired 2 s ago';
  engine.client.deliver([result(2, Code.TicketExpired, { text })]);
  await assert.rejects(again, {
    message: 'login alice: the ticket is expired: it expired 2 s ago (TicketExpired, 70001)',
  });
  const error = new TimError(Code.TicketExpired, 'login alice');
  assert.equal(error.message, 'login alice: the ticket is expired (TicketExpired, 70001)');
  assert.equal(error.retryable, false);
  assert.ok(error instanceof Error && error.stack!.includes('client.test'));
  const unknown = new TimError(123456, 'login');
  assert.deepEqual([unknown.codeName, unknown.retryable], ['Unknown', false]);
});

test('each promise is settled once, by its own answer; answers of nobody are dropped', async () => {
  const client = open();
  const settled: string[] = [];
  const note = (name: string, promise: Promise<unknown>) =>
    promise.then(
      () => settled.push(`${name} ok`),
      (error: TimError) => settled.push(`${name} ${error.codeName}`),
    );
  note('login', client.login('alice', 't'));
  note('renew', client.renew('t'));
  note('logout', client.logout());
  engine.client.deliver([result(3), result(99), result(2, Code.NotLoggedIn)]);
  engine.client.deliver([result(3, Code.Internal), result(1), result(1, Code.Internal), result(2)]);
  await turn();
  assert.deepEqual(settled, ['logout ok', 'renew NotLoggedIn', 'login ok']);
});

test('a call that the engine does not take rejects, and its number is not awaited', async () => {
  const client = open();
  engine.client.code = Code.QueueFull;
  await assert.rejects(client.login('alice', 't'), { code: Code.QueueFull, retryable: true });
  engine.client.code = Code.OK;
  const login = client.login('alice', 't');
  engine.client.deliver([result(1, Code.Internal), result(2)]);
  await login;
});

test('the code that awaits a result runs before later events are told, in one batch and in the next', async () => {
  const client = open();
  const heard: string[] = [];
  client.on('ready', (ready) => heard.push(`ready ${ready}`));
  client.on('log', ({ line }) => heard.push(line));
  const login = (async () => {
    await client.login('alice', 't');
    heard.push('logged in');
    client.on('kickedOffline', () => heard.push('kicked'));
  })();
  const joined = client.login('alice', 't').then(() => heard.push('joined'));
  engine.client.deliver([
    event(EventKind.Ready, { ready: true }),
    result(1),
    result(2),
    event(EventKind.KickedOffline, { kickReason: KickReason.RESTAPI }),
    event(EventKind.Ready, { ready: false }),
  ]);
  engine.client.deliver([{ type: 'log', level: LogLevel.Info, line: 'the next batch' }]);
  await Promise.all([login, joined]);
  await turn();
  assert.deepEqual(heard.splice(1, 2).sort(), ['joined', 'logged in']);
  assert.deepEqual(heard, ['ready true', 'kicked', 'ready false', 'the next batch']);
});

test('every kind of event arrives with what it has to say, and an unknown one is nothing', () => {
  const client = open();
  const heard: unknown[] = [];
  for (const name of [
    'connecting',
    'connected',
    'disconnected',
    'loginStatus',
    'ready',
    'kickedOffline',
    'userSigWillExpire',
    'userSigExpired',
    'log',
    'closed',
  ] as const) {
    client.on(name, (payload: unknown) => heard.push([name, payload]));
  }
  const why = { code: Code.Disconnected, text: 'gone' };
  engine.client.deliver([
    event(EventKind.Connecting),
    event(EventKind.Connected, { resumed: true }),
    event(EventKind.Disconnected, why),
    event(EventKind.LoginStatus, { loginStatus: LoginStatus.LoggedIn }),
    event(EventKind.Ready, { ready: true }),
    event(EventKind.KickedOffline, {
      ...why,
      kickReason: KickReason.Replaced,
      byPlatform: Platform.IPad,
      byLabel: 'pad',
      atMs: 5,
    }),
    event(EventKind.KickedOffline, why),
    event(EventKind.UserSigWillExpire, { atMs: 7 }),
    event(EventKind.UserSigExpired, why),
    { type: 'log', level: LogLevel.Warn, line: 'careful' },
    event(77 as EventKind),
    event(EventKind.Closed),
  ]);
  assert.deepEqual(heard, [
    ['connecting', undefined],
    ['connected', { resumed: true }],
    ['disconnected', why],
    ['loginStatus', LoginStatus.LoggedIn],
    ['ready', true],
    [
      'kickedOffline',
      {
        ...why,
        reason: KickReason.Replaced,
        byPlatform: Platform.IPad,
        byLabel: 'pad',
        at: new Date(5),
      },
    ],
    ['kickedOffline', { ...why, byLabel: '' }],
    ['userSigWillExpire', { at: new Date(7) }],
    ['userSigExpired', why],
    ['log', { level: LogLevel.Warn, line: 'careful' }],
    ['closed', { code: Code.OK, text: '' }],
  ]);
});

test('listeners: once, off, twice the same, and changes while an event is told', () => {
  const client = open();
  const heard: string[] = [];
  const second = () => heard.push('second');
  const late = () => heard.push('late');
  client.on('connecting', () => {
    heard.push('first');
    client.off('connecting', second).on('connecting', late);
  });
  client.on('connecting', second).on('connecting', second);
  client.once('connecting', () => heard.push('once'));
  engine.client.deliver([event(EventKind.Connecting), event(EventKind.Connecting)]);
  assert.deepEqual(heard, ['first', 'once', 'first', 'late']);
});

test('what a listener throws reaches uncaughtException; the others, the rest of the batch and the promises do not suffer', async () => {
  const client = open();
  const heard: string[] = [];
  client.on('connecting', () => {
    throw new Error('mine');
  });
  client.on('connecting', () => heard.push('second'));
  client.on('connected', () => heard.push('connected'));
  const login = client.login('alice', 't');
  const uncaught: Error[] = [];
  process.setUncaughtExceptionCaptureCallback((error) => uncaught.push(error));
  engine.client.deliver([event(EventKind.Connecting), event(EventKind.Connected), result(1)]);
  await login;
  assert.deepEqual(heard, ['second', 'connected']);
  await turn();
  process.setUncaughtExceptionCaptureCallback(null);
  assert.deepEqual(
    uncaught.map((error) => error.message),
    ['mine'],
  );
});

test('a listener may call anything, even close', async () => {
  const client = open();
  const login = client.login('alice', 't');
  client.on('connecting', () => void client.close());
  engine.client.deliver([event(EventKind.Connecting), event(EventKind.Connected)]);
  assert.deepEqual(engine.client.calls.slice(1), [['close']]);
  engine.client.deliver([result(1, Code.Interrupted), event(EventKind.Closed)]);
  await assert.rejects(login, code(Code.Interrupted));
});

test('close resolves with the last event, twice the same; then calls say so and getters do not throw', async () => {
  const client = open();
  const heard: string[] = [];
  client.on('closed', () => heard.push('closed'));
  const first = client.close().then(() => heard.push('resolved'));
  const second = client.close();
  assert.deepEqual(engine.client.calls, [['close']]);
  await turn();
  assert.deepEqual(heard, []);
  engine.client.deliver([event(EventKind.Closed)]);
  await Promise.all([first, second, client.close()]);
  assert.deepEqual(heard, ['closed', 'resolved']);
  for (const call of [
    () => client.login('alice', 't'),
    () => client.logout(),
    () => client.renew('t'),
  ]) {
    await assert.rejects(call(), code(Code.NotInitialized));
  }
  assert.throws(() => client.wake(), code(Code.NotInitialized));
  assert.throws(() => client.setBackground(true), code(Code.NotInitialized));
  assert.deepEqual(
    [client.status, client.ready, client.user, client.serverTimeMs],
    [LoginStatus.LoggedOut, false, '', undefined],
  );
  client.on('ready', () => {}).off('ready', () => {});
});

test('a client that libtim closed by itself is freed, and says so', async () => {
  const client = open();
  const login = client.login('alice', 't');
  const closed = new Promise((resolve) => client.on('closed', resolve));
  engine.client.deliver([
    result(1, Code.Internal),
    event(EventKind.Closed, { code: Code.Internal, text: 'panic' }),
  ]);
  await assert.rejects(login, code(Code.Internal));
  assert.deepEqual(await closed, { code: Code.Internal, text: 'panic' });
  assert.deepEqual(engine.client.calls.slice(1), [['close']]);
  await client.close();
  await assert.rejects(client.logout(), code(Code.NotInitialized));
});

test('the status is logging in from the call on, before the engine has said anything', async () => {
  const client = open();
  assert.equal(client.status, LoginStatus.LoggedOut);
  const login = client.login('alice', 't');
  assert.equal(client.status, LoginStatus.LoggingIn);
  engine.client.current = LoginStatus.LoggingIn;
  engine.client.deliver([event(EventKind.LoginStatus, { loginStatus: LoginStatus.LoggingIn })]);
  engine.client.be('');
  assert.equal(
    client.status,
    LoginStatus.LoggedOut,
    'from the first word on, the engine knows better',
  );
  engine.client.deliver([result(1, Code.TicketExpired)]);
  await assert.rejects(login);

  const again = client.login('alice', 't');
  assert.equal(client.status, LoginStatus.LoggingIn);
  engine.client.deliver([result(2, Code.UserSigExpired)]);
  await assert.rejects(again);
  assert.equal(client.status, LoginStatus.LoggedOut);
});

test('the ticket provider: its answer, its failures, and that it is never asked when there is none', async () => {
  const answers: unknown[] = [
    'fresh',
    Promise.resolve('later'),
    Promise.reject(new Error('no')),
    7,
    '',
    'a\0',
    Promise.reject(Object.create(null)),
    Promise.reject(Symbol('no')),
    Promise.reject(undefined),
    { then: (_: unknown, reject: (why: unknown) => void) => reject({ toString: 7 }) },
  ];
  const client = open({
    ticketProvider: (userID: string) => (assert.equal(userID, 'alice'), answers.shift()),
  });
  const failures: TimError[] = [];
  client.on('ticketProviderFailed', (error) => failures.push(error));
  for (let request = 1; request <= 10; request++)
    engine.client.deliver([{ type: 'ticket', request, userID: 'alice' }]);
  await turn();
  const given = engine.client.calls.sort((a, b) => (a[1] as number) - (b[1] as number));
  assert.deepEqual(given, [
    ['provideTicket', 1, 'fresh'],
    ['provideTicket', 2, 'later'],
    ['provideTicket', 3, ''],
    ['provideTicket', 4, ''],
    ['provideTicket', 5, ''],
    ...[6, 7, 8, 9, 10].map((request) => ['provideTicket', request, '']),
  ]);
  assert.equal(failures.length, 8);
  for (const failure of failures) assert.match(failure.message, /^ticketProvider: /);
});

test('the process is kept while something is pending, while somebody is logged in, and while it closes', async () => {
  const client = open();
  const { client: native } = engine;
  assert.equal(native.referenced, false);
  const login = client.login('alice', 't');
  assert.equal(native.referenced, true);
  native.be('alice');
  native.deliver([result(1)]);
  await login;
  assert.equal(native.referenced, true);
  client.unref();
  assert.equal(native.referenced, false);
  const renew = client.renew('t');
  assert.equal(native.referenced, true, 'a call is pending');
  native.deliver([result(2)]);
  await renew;
  assert.equal(native.referenced, false);
  client.ref();
  assert.equal(native.referenced, true);
  native.be('');
  native.deliver([event(EventKind.Ready)]);
  assert.equal(native.referenced, false);
  void client.close();
  assert.equal(native.referenced, true);
  native.deliver([event(EventKind.Closed)]);
  assert.equal(native.referenced, false);
});

test("events after a result are told although an app's tests have stopped the clock", async () => {
  const { setTimeout } = globalThis;
  globalThis.setTimeout = (() => ({})) as never;
  try {
    const client = open();
    const kicked = new Promise((resolve) => client.on('kickedOffline', resolve));
    const login = client.login('alice', 't');
    engine.client.deliver([result(1), event(EventKind.KickedOffline)]);
    await Promise.all([login, kicked]);
  } finally {
    globalThis.setTimeout = setTimeout;
  }
});

test('wake and setBackground reach the engine', () => {
  const client = open();
  client.wake();
  client.setBackground(true);
  assert.deepEqual(engine.client.calls, [['wake'], ['setBackground', true]]);
});

test('a client in a log shows no ticket', () => {
  const client = open();
  void client.login('alice', 'eJyrVgrxCdYr-secret').catch(() => {});
  engine.client.calls.length = 0; // where the script keeps it
  assert.doesNotMatch(inspect(client, { depth: 9 }), /secret/);
  engine.client.deliver([result(1, Code.Internal)]);
});

test('without an engine everything says what to import', () => {
  installEngine(undefined as never);
  assert.throws(open, /import @opentim\/node or @opentim\/react-native/);
});
