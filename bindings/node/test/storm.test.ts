import assert from 'node:assert/strict';
import { test } from 'node:test';

import { programs } from './run.js';

const ordinary = Number(process.env['STORM_MS'] ?? 45_000);
const storms = { signals: 7_000, children: 11_000, ordinary };
const run = programs();

for (const [kind, ms] of Object.entries(storms)) {
  test(`a storm of ${kind} while users log in and out crashes nothing`, async (t) => {
    const { code, signal, out, err } = await run('storm', kind, String(ms)).ended;
    assert.deepEqual({ code, signal, err }, { code: 0, signal: null, err: '' });
    t.diagnostic(out.trim());
  });
}

test('the threads of libtim take no signal that a program may handle', async () => {
  assert.deepEqual((await run('masks').ended).out, 'none\n');
});

// Otherwise the test above would say nothing.
const unguarded = process.env['TEST_UNGUARDED'];
test('those of libtim as go build makes it take them all', { skip: !unguarded }, async () => {
  process.env['TIM_NATIVE_PATH'] = unguarded;
  const { out } = await run('masks').ended;
  assert.match(out, /USR2.* CHLD/);
});
