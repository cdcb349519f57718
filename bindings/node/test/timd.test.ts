// What the tests are told of a timd that ends by itself. A shell stands for it.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { until } from '../../js/test/world.js';
import { Timd } from './timd.js';

const folder = mkdtempSync(join(tmpdir(), 'tim-timd-'));
after(() => rmSync(folder, { recursive: true }));

/** Starts a program that logs to its standard error. */
function start(script: string): Promise<Timd> {
  const file = join(folder, 'timd');
  writeFileSync(file, `#!/bin/sh\nexec >&2\n${script}\n`, { mode: 0o755 });
  process.env['TIMD'] = file;
  return Timd.start('timd.yaml');
}

const serves = `echo '{"msg":"serving","endpoint":"ws://127.0.0.1:1/tim"}'`;

test('one that does not start says why', async () => {
  const started = start(`echo '{"msg":"no such key"}'; exit 3`);
  await assert.rejects(started, /timd ended by itself, with 3:\n.*no such key/);
});

test('one that logs more than a pipe holds goes on, and its crash is told with the last lines', async () => {
  const timd = await start(`${serves}
    i=0; while [ $i -lt 9999 ]; do i=$((i + 1)); echo "{\\"msg\\":\\"line $i of many\\"}"; done
    echo 'panic: a mistake'; kill -ABRT $$`);
  let error = '';
  await until(() => {
    try {
      timd.check();
      return false;
    } catch (thrown) {
      error = String(thrown);
      return true;
    }
  }, 'it has ended');
  assert.match(error, /timd ended by itself, by SIGABRT:\npanic: a mistake\n/);
  assert.match(error, /line 9999 of many/);
  assert.ok(error.length < 2000, 'the rest is dropped');
  await assert.rejects(timd.end('SIGTERM'), /ended by itself/);
});

test('one that is ended must end well', async () => {
  const wait = 'while :; do sleep 0.01; done';
  await (await start(`trap 'exit 0' TERM; ${serves}; ${wait}`)).end('SIGTERM');
  await (await start(`${serves}; ${wait}`)).end('SIGKILL');
  const badly = await start(`trap 'echo "panic: late"; exit 2' TERM; ${serves}; ${wait}`);
  await assert.rejects(badly.end('SIGTERM'), /was sent SIGTERM and ended, with 2:\npanic: late/);
});
