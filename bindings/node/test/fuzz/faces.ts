// fuzz/faces.js SEED MS: calls every method of the three faces with random arguments, in random order. V2TIM resolves, TimClient
// and Chat throw and reject with a TimError that names the argument if an argument is wrong; and everything is settled in the end.

import fc from 'fast-check';

import * as tim from '@opentim/node';

import { absentFromChat } from '../../../js/src/chat-absent.js';
import { manager, managers } from '../../../js/test/originals/react-native-tim-js.js';
import { anything, check, Mine, mostly, nothingUncaught } from './values.js';

nothingUncaught();
const { Code, TimError } = tim;
const endpoint = process.env['TEST_ENDPOINT']!;
const sdkAppID = Number(process.env['TEST_APP']);
const ticket = process.env['TEST_TICKET']!;

const user = mostly('alice', 'bob');
const sig = mostly(ticket, 'ticket');
const url = fc.oneof(
  fc.constantFrom<unknown>(endpoint, endpoint, 'ws://127.0.0.1:1', 'wss://127.0.0.1:1', 'ws://'),
  anything,
);
const options = fc
  .record(
    {
      endpoint: url,
      sdkAppID: mostly(sdkAppID),
      platform: mostly(...Object.values(tim.Platform)),
      label: mostly('phone'),
      dataDir: anything.map((value) => (typeof value === 'string' ? `data/${value}` : value)),
      instance: mostly('one'),
      caPem: mostly(''),
      loginTimeoutMs: mostly(50),
      logoutTimeoutMs: mostly(50),
      allowInsecure: mostly(true),
      background: mostly(false),
      logLevel: mostly(...Object.values(tim.LogLevel)),
      ticketProvider: mostly(() => ticket),
      logger: mostly(() => {}),
    },
    { requiredKeys: [] },
  )
  .map((more) => ({ endpoint, sdkAppID, ...more }));

/** A call: the name of a method, and arguments. */
type Call = readonly [string, readonly unknown[]];
const calls = (...of: fc.Arbitrary<Call>[]) => fc.array(fc.oneof(...of), { maxLength: 12 });
const one = (names: readonly string[], ...args: fc.Arbitrary<unknown>[]): fc.Arbitrary<Call> =>
  fc.tuple(
    fc.constantFrom(...names),
    fc
      .tuple(fc.tuple(...args), fc.nat(args.length))
      .map(([all, count]) => all.slice(0, count || all.length)),
  );

const events = mostly(
  'connected',
  'ready',
  'kickedOffline',
  'ticketProviderFailed',
  'log',
  'closed',
);
const clientCalls = calls(
  one(
    ['login'],
    user,
    sig,
    fc.oneof(
      fc.constant({}),
      anything.map((signal) => ({ signal })),
    ),
  ),
  one(['login'], user, sig),
  one(['renew'], sig),
  one(['setBackground'], mostly(true)),
  one(
    ['on', 'once', 'off'],
    events,
    mostly(() => {}),
  ),
  one(['logout', 'wake', 'ref', 'unref'], anything),
);
const v2timCalls = calls(
  one(['initSDK'], mostly(sdkAppID), mostly(0, 3), mostly({})),
  one(['login'], user, sig),
  one(['addIMSDKListener', 'removeIMSDKListener'], mostly({ onConnecting: () => {} })),
  one(
    ['callExperimentalAPI'],
    mostly('renewUserSig', 'getKick', 'wake', 'setBackground'),
    anything,
  ),
  one(manager, anything, anything),
);
const chatCalls = calls(
  one(['login'], fc.oneof(fc.record({ userID: user, userSig: sig }), anything)),
  one(
    ['on', 'once', 'off'],
    mostly(...Object.values(tim.TencentCloudChat.EVENT)),
    mostly(() => {}),
  ),
  one(['setLogLevel'], mostly(0, 4)),
  one(['logout', 'getLoginUser', 'getServerTime', 'isReady', 'registerPlugin'], anything),
  one(absentFromChat, anything),
);

const NAMES =
  /options|endpoint|sdkAppID|platform|label|dataDir|instance|caPem|Timeout|allowInsecure|background|logLevel|ticket|userID|userSig|event|listener|handler|level|proxyServer|settings|logger|param/;

/** An error that an app may be shown. */
function fine(what: string, error: unknown): void {
  if (error instanceof Mine) return;
  if (!(error instanceof TimError) || !Number.isInteger(error.code))
    throw new Error(`${what} failed with something else than a TimError`, { cause: error });
  if (error.code === Code.InvalidParameters && !NAMES.test(error.message))
    throw new Error(`${what} does not name the argument`, { cause: error });
  if (error.code === Code.Internal && !(error.cause instanceof Mine))
    throw new Error(`${what} found a mistake`, { cause: error });
}

/** Makes calls, and returns what waits for their answers. */
function make(
  target: object,
  list: readonly Call[],
  settled: (what: string, value: unknown) => void,
) {
  return list.map(async ([name, args]) => {
    try {
      const method = (target as Record<string, (...args: unknown[]) => unknown>)[name]!;
      settled(name, await method.apply(target, [...args]));
    } catch (error) {
      fine(name, error);
    }
  });
}

async function timClient(given: object, list: readonly Call[]): Promise<void> {
  let client: tim.TimClient;
  try {
    client = new tim.TimClient(given as tim.TimOptions);
  } catch (error) {
    return fine('new TimClient', error);
  }
  const answers = make(client, list, () => {});
  void [client.status, client.ready, client.user, client.serverTimeMs];
  await client.close();
  await Promise.all([...answers, ...make(client, list, () => {})]); // once more, after close
}

async function v2tim(list: readonly Call[]): Promise<void> {
  const { v2TIMManager } = tim.TencentImSDKPlugin;
  const settled = (what: string, answer: unknown) => {
    if (what.endsWith('Manager') || what === 'setAPNSListener') return;
    const { code, desc } = answer as { code: number; desc: string };
    if (!Number.isInteger(code) || typeof desc !== 'string') throw new Error(`${what} has no code`);
    if (code === Code.Internal && !desc.includes(': mine '))
      throw new Error(`${what} found a mistake: ${desc}`);
    if (code === Code.InvalidParameters && !NAMES.test(desc)) throw new Error(`${what}: ${desc}`);
  };
  const answers = make(v2TIMManager, [['initSDK', [sdkAppID, 0]], ...list], settled);
  for (const [name, methods] of Object.entries(managers))
    answers.push(...make((v2TIMManager as any)[name](), [[methods[0]!, []]], settled));
  await v2TIMManager.unInitSDK();
  await Promise.all(answers);
}

async function chat(given: object, list: readonly Call[]): Promise<void> {
  let instance: tim.ChatSDK | null;
  try {
    instance = tim.TencentCloudChat.create({ SDKAppID: sdkAppID, ...given } as never);
  } catch (error) {
    return fine('create', error);
  }
  if (instance === null) return;
  const answers = make(instance, list, () => {});
  const ended = instance.destroy();
  await Promise.all([...answers, ended, ...make(instance, list, () => {})]);
}

const property = fc.asyncProperty(
  options,
  clientCalls,
  v2timCalls,
  fc.record({ SDKAppID: mostly(sdkAppID), proxyServer: url }, { requiredKeys: [] }),
  chatCalls,
  async (given, ofClient, ofV2TIM, ofCreate, ofChat) => {
    const limits = { loginTimeoutMs: 50, logoutTimeoutMs: 50 };
    tim.configure({ endpoint, ...limits });
    try {
      tim.configure({ ...given, ...limits } as tim.Settings);
    } catch (error) {
      fine('configure', error);
    }
    await Promise.all([timClient(given, ofClient), v2tim(ofV2TIM), chat(ofCreate, ofChat)]);
  },
);

for (const method of ['debug', 'info', 'warn', 'error'] as const) {
  const print = console[method];
  console[method] = (...all: unknown[]) => {
    if (typeof all[0] !== 'string' || !all[0].startsWith('tim: ')) print(...all); // the facades' log
  };
}
void check(property);
