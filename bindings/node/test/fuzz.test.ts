// Random values at the addon and at the three faces, in processes of their own: a crash is an end by a signal.
// What a failure says it was, again: node build/node/test/node/test/fuzz/NAME.js SEED MS. For longer: fuzz.sh.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { Server } from './server.js';

const seconds = Number(process.env['FUZZ_SECONDS'] ?? 4); // for each program
const seed = Number(process.env['FUZZ_SEED'] ?? 1);

let server: Server;
const folder = mkdtempSync(join(tmpdir(), 'tim-fuzz-'));
before(async () => (server = await Server.start()));
after(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

for (const name of ['addon', 'faces']) {
  test(`nothing crashes, hangs or is thrown that is not ours: ${name}`, async (t) => {
    const app = server.app();
    const program = spawn(
      process.execPath,
      [join(__dirname, 'fuzz', `${name}.js`), String(seed), String(seconds * 1000)],
      {
        cwd: folder,
        env: {
          ...process.env,
          TEST_ENDPOINT: app.endpoint,
          TEST_APP: String(app.id),
          TEST_TICKET: app.ticket('alice'),
        },
      },
    );
    let said = '';
    for (const stream of [program.stdout, program.stderr])
      stream.on('data', (data) => (said += data));
    const stuck = setTimeout(() => program.kill('SIGKILL'), (seconds + 600) * 1000);
    const [code, signal] = await once(program, 'close');
    clearTimeout(stuck);
    const end = { code, signal, said: said.trim() };
    assert.deepEqual(end, { code: 0, signal: null, said: 'nothing was found' }, `seed ${seed}`);
    t.diagnostic(`${seconds} s from seed ${seed}`);
  });
}
