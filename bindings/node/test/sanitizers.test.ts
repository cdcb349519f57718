// The addon once more, built with what finds wrong uses of memory, and leaks: see test.sh.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

import { programs, Running } from './run.js';

const { TEST_SANITIZED, TEST_SANITIZERS } = process.env;
const sanitized = (leaks: number) => ({
  TIM_NATIVE_PATH: TEST_SANITIZED,
  LD_PRELOAD: TEST_SANITIZERS,
  ASAN_OPTIONS: `detect_leaks=${leaks}`,
});
const run = programs(sanitized(1));

test('workers that end in every way leave nothing behind', async () => {
  assert.deepEqual(await run('workers', 'both').ended, {
    code: 0,
    signal: null,
    out: '24 workers ended\n',
    err: '',
  });
});

for (const name of ['idle', 'pending', 'online', 'unref', 'close', 'caught', 'deliver'])
  test(`neither does the process of life.ts: ${name}`, async () => {
    const { code, signal, err } = await run('life', name).ended;
    assert.deepEqual({ code, signal, err }, { code: 0, signal: null, err: '' });
  });

test('what addon.test.ts does is no wrong use of memory', async () => {
  const env = { ...process.env, ...sanitized(0) }; // the test runner leaks
  const file = join(__dirname, 'addon.test.js');
  const { code, out } = await new Running(spawn(process.execPath, [file], { env })).ended;
  assert.equal(code, 0, out);
});
