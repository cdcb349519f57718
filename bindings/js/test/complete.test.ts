// Whatever an app calls, it is there, and says so if tim does not have it. The methods are those that the originals declare.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';

import TencentCloudChat, {
  type ChatSDK,
  Code,
  configure,
  LogLevelEnum,
  TencentImSDKPlugin,
  TimError,
} from '../src/index.js';
import { fakeWorld } from './fake/world.js';
import { manager, managers } from './originals/react-native-tim-js.js';
import * as tim from './under-test.js';

const folder = createRequire(import.meta.url)
  .resolve('chat-original/package.json')
  .replace('package.json', '');
const declarations = readFileSync(`${folder}index.d.ts`, 'utf8').replace(
  /\/\*[^]*?\*\/|\/\/.*/g,
  '',
);

/** What stands between the braces after a heading. */
function block(heading: RegExp): string {
  const match = new RegExp(`${heading.source} \\{([^]*?)\\n *\\}`).exec(declarations);
  assert.ok(match, `${heading} is in the declarations`);
  return match[1]!;
}

const methods = [...block(/class ChatSDK/).matchAll(/^ {2}(\w+)\(/gm)].map(([, name]) => name!);
const here = words(
  'login logout destroy getLoginUser getServerTime isReady on off setLogLevel registerPlugin',
);

function words(list: string): string[] {
  return list.split(' ');
}

/** Calls what tim does not have, each with something else. */
async function everyAbsentCall(chat: ChatSDK, when: string): Promise<void> {
  const calls = chat as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
  const absent = methods.filter((name) => !here.includes(name));
  assert.ok(absent.length > 130, `${absent.length} methods`);
  for (const [i, name] of absent.entries()) {
    const args = [[], [undefined], [null, 7], ['text'], [{ to: 'bob', payload: {} }]][i % 5]!;
    await assert.rejects(calls[name]!(...args), (error: TimError) => {
      assert.ok(error instanceof TimError);
      assert.equal(error.code, Code.NotSupported, `${name} ${when}`);
      assert.match(error.message, new RegExp(`^${name}: tim keeps users signed in; `));
      return true;
    });
  }
}

test('Chat: every method that the original declares is there, and those that tim does not have reject with 7013', async () => {
  const { endpoint, sdkAppID, ticket } = fakeWorld(tim);
  configure({ endpoint });
  const chat = TencentCloudChat.create({ SDKAppID: sdkAppID });
  const ours = chat as unknown as Record<string, unknown>;
  assert.deepEqual(
    methods.filter((name) => typeof ours[name] !== 'function'),
    [],
  );
  await everyAbsentCall(chat, 'logged out');
  await chat.login({ userID: 'alice', userSig: await ticket('alice') });
  await everyAbsentCall(chat, 'logged in');
  await chat.destroy();
  await everyAbsentCall(chat, 'destroyed');
});

const { v2TIMManager } = TencentImSDKPlugin;
const v2tim = v2TIMManager as unknown as Record<string, (...args: unknown[]) => any>;
const v2timHere = words(
  'initSDK unInitSDK login logout getLoginUser getLoginStatus getServerTime getVersion callExperimentalAPI',
);
const { V2TIM_LOG_NONE } = LogLevelEnum;

test('V2TIM: every method that the original has is there, and those that tim does not have resolve with 7013', async () => {
  const { endpoint, sdkAppID } = fakeWorld(tim);
  const other = [...v2timHere, ...Object.keys(managers), 'setAPNSListener'];
  const absent = manager.filter((name) => !other.includes(name));
  assert.equal(absent.length, 18);
  configure({ endpoint });
  for (const when of ['before initSDK', 'after it', 'after unInitSDK']) {
    for (const name of absent) {
      const { code, desc } = await v2tim[name]!('anything', {});
      assert.equal(code, Code.NotSupported, `${name} ${when}`);
      assert.match(desc, new RegExp(`^${name}: tim keeps users signed in; `));
    }
    if (when === 'before initSDK') await v2TIMManager.initSDK(sdkAppID, V2TIM_LOG_NONE);
    else await v2TIMManager.unInitSDK();
  }
});

test('V2TIM: every method that tim has answers with a code, also without arguments', async () => {
  const { endpoint, sdkAppID } = fakeWorld(tim);
  configure({ endpoint });
  for (const name of v2timHere) {
    await v2TIMManager.initSDK(sdkAppID, V2TIM_LOG_NONE);
    const { code, desc } = await v2tim[name]!();
    assert.ok(Number.isInteger(code) && desc.length > 1, `${name}: ${code} ${desc}`);
  }
  await v2TIMManager.unInitSDK();
  assert.equal(v2TIMManager.setAPNSListener(), undefined);
});

for (const [name, names] of Object.entries(managers)) {
  test(`V2TIM: every method of ${name}() resolves with 7013`, async () => {
    const managed = v2tim[name]!() as typeof v2tim;
    assert.equal(v2tim[name]!(), managed);
    for (const method of names) {
      const { code, desc } = await managed[method]!({ text: 'hello' }, 7);
      assert.equal(code, Code.NotSupported, method);
      assert.ok(desc.startsWith(`${name}().${method}: tim keeps users signed in; `), desc);
    }
  });
}

for (const name of ['EVENT', 'TYPES', 'TSignaling'] as const) {
  test(`Chat: every constant of ${name} has its value`, () => {
    const theirs = [...block(new RegExp(`enum ${name}`)).matchAll(/(\w+) = ([^,\n]+),/g)];
    assert.ok(theirs.length > 10, `${theirs.length} constants`);
    const values = Object.fromEntries(
      theirs.map(([, key, value]) => [
        key,
        JSON.parse(value!.replace(/'/g, '"').replace(/^0x/, '')),
      ]),
    );
    const { SDK_DESTROY: _, ...ours } = TencentCloudChat[name] as Record<string, unknown>;
    assert.deepEqual(ours, values);
  });
}
