// What linters say of the packages.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { names, Packed, run } from './packed.js';

const packed = new Packed();
before(async () => void (await packed.open()));
after(() => packed.close());

const tools = join(process.env['TOOLS']!, '.bin');

for (const name of names)
  test(`publint has nothing to say of ${name}`, async () => {
    const { out } = await run(packed.folder, [
      join(tools, 'publint'),
      'run',
      packed.file(name),
      '--strict',
    ]);
    assert.match(out, /All good!/);
  });

for (const name of ['node', 'usersig'] as const)
  test(`are the types of ${name} wrong? No`, async () => {
    const { out } = await run(packed.folder, [
      join(tools, 'attw'),
      packed.file(name),
      '--no-emoji',
      '--no-color',
    ]);
    assert.match(out, /No problems found/);
  });
