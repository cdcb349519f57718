// Hosts that make it hard; capi/ctest/hosts.c is the same for C.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { programs } from './run.js';

const run = programs();
const runs = Number(process.env['HOSTS'] ?? 5);

const hosts = {
  stdio:
    'started without stdin, stdout and stderr, or closing them: no connection takes their places',
  descriptors: 'without a descriptor left a login fails with a code, and works when there are some',
  copies: 'two installations in one process, on the main thread and in workers',
  children: 'fork and spawn while users are online: children have clients of their own',
  unused: 'loaded and never used, a process ends by itself and has its signals',
  exits: 'process.exit while online, while logging in, and inside a listener',
};

for (const [name, about] of Object.entries(hosts)) {
  test(about, async (t) => {
    for (let i = 0; i < runs; i++) {
      const { code, signal, out, err } = await run('host', name).ended;
      assert.deepEqual(
        { code, signal, out, err },
        { code: 0, signal: null, out: 'well\n', err: '' },
      );
    }
    t.diagnostic(`${runs} runs`);
  });
}
