// What linters say of the packages.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { names, packed, root, run } from './packed.js';

const tools = join(process.env['TOOLS']!, '.bin');

for (const name of names)
  test(`publint has nothing to say of ${name}`, async () => {
    const { out } = await run(root, [join(tools, 'publint'), 'run', packed(name), '--strict']);
    assert.match(out, /All good!/);
  });

for (const name of ['node', 'usersig'] as const)
  test(`are the types of ${name} wrong? No`, async () => {
    const { out } = await run(root, [
      join(tools, 'attw'),
      packed(name),
      '--no-emoji',
      '--no-color',
    ]);
    assert.match(out, /No problems found/);
  });
