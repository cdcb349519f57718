import assert from 'node:assert/strict';
import { test } from 'node:test';

import { programs } from './run.js';

const run = programs();

/** The program life.ts ended well, and this is what it printed. */
async function prints(name: string, out: string): Promise<void> {
  const ended = await run('life', name).ended;
  assert.deepEqual(ended, { code: 0, signal: null, out, err: '' });
}

test('a process ends by itself with a client that does nothing', () => prints('idle', 'exit\n'));
test('a pending login keeps the process alive until its answer', () =>
  prints('pending', 'TimError\n'));
test('a user who is logged in keeps the process alive until the logout', () =>
  prints('online', 'stayed\n'));
test('after unref a user who is logged in does not', () => prints('unref', 'logged in\n'));
test('after ref a user who is logged in does again', () => prints('ref', 'stayed\n'));
test('after close nothing keeps the process alive', () => prints('close', 'closed\n'));

test('process.exit in the middle of logins ends the process with its code', async () => {
  for (const ms of ['0', '1', '5', '20', '50']) {
    const { code, signal, err } = await run('life', 'exit', ms).ended;
    assert.deepEqual({ code, signal, err }, { code: 7, signal: null, err: '' }, `after ${ms} ms`);
  }
});

test('what a listener throws ends a process that does not handle it, with the stack', async () => {
  const { code, err } = await run('life', 'throws').ended;
  assert.equal(code, 1);
  const { bun, deno } = process.versions;
  const other = bun || deno; // they have colours in it, or another order
  assert.match(
    err,
    other ? /out of the listener/ : /Error: out of the listener\r?\n +at .*life\.js/,
  );
});

test('what listeners throw reaches uncaughtException, and the login succeeds', async () => {
  const { code, out } = await run('life', 'caught').ended;
  assert.equal(code, 0);
  assert.deepEqual(out.trim().split('\n').sort(), [
    'alice',
    'caught one',
    'caught two',
    'caught two',
  ]);
});

test('an exception in what the addon calls reaches uncaughtException, and the next batch comes', () =>
  prints('deliver', 'caught 1 of result\ncaught 1 of event\n'));

const windows = process.platform === 'win32'; // which has no signals between processes

test('Ctrl-C ends a process in which a user is online', { skip: windows }, async () => {
  const program = run('life', 'signals');
  await program.prints('online');
  program.kill('SIGINT');
  assert.equal((await program.ended).signal, 'SIGINT');
});

test('handlers of signals are called while a user is online', { skip: windows }, async () => {
  const program = run('life', 'signals');
  await program.prints('online');
  program.kill('SIGTERM');
  await program.prints('SIGTERM');
  program.kill('SIGKILL');
  await program.ended;
});

for (const main of ['both', 'workers only']) {
  test(`workers end in every way, several at once: the addon is loaded in ${main}`, async () => {
    const { code, signal, out, err } = await run('workers', main).ended;
    assert.deepEqual(
      { code, signal, out, err },
      { code: 0, signal: null, out: '24 workers ended\n', err: '' },
    );
  });
}
