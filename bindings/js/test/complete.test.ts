// Everything that @tencentcloud/chat declares is here: its own index.d.ts says what there is.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';

import TencentCloudChat, { ChatSDK } from '../src/index.js';

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

test('every method of ChatSDK can be called', () => {
  const names = [...block(/class ChatSDK/).matchAll(/^ {2}(\w+)\(/gm)].map(([, name]) => name!);
  assert.ok(names.length > 140, `${names.length} methods`);
  const methods = ChatSDK.prototype as unknown as Record<string, unknown>;
  assert.deepEqual(
    names.filter((name) => typeof methods[name] !== 'function'),
    [],
  );
});

for (const name of ['EVENT', 'TYPES', 'TSignaling'] as const) {
  test(`every constant of ${name} has its value`, () => {
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
