import assert from 'node:assert/strict';
import { test } from 'node:test';

import { programs } from './run.js';

const run = programs();
const ms = process.env['STORM_MS'] ?? '5000'; // for each storm

for (const kind of ['signals', 'children']) {
  test(`a storm of ${kind} while users log in and out crashes nothing`, async (t) => {
    const { code, signal, out, err } = await run('storm', kind, ms).ended;
    assert.deepEqual({ code, signal, err }, { code: 0, signal: null, err: '' });
    t.diagnostic(out.trim());
  });
}
