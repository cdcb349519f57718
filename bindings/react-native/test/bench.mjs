// bench.mjs TIMD HOST BUNDLE prints what test/app/bench.ts measured, against a server of its own.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const [, , timd, host, bundle] = process.argv;
const data = mkdtempSync(join(tmpdir(), 'tim-bench-'));
const server = spawn(timd, ['dev', '--json', '--data', data, '--listen', '127.0.0.1:0'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const [line] = await once(createInterface({ input: server.stdout }), 'line');
const { endpoint, app, ticket } = JSON.parse(line);
const input = `${JSON.stringify({ endpoint, sdkAppID: app, ticket })}\n`;
const running = spawn(host, [bundle], { stdio: ['pipe', 'pipe', 'inherit'] });
running.stdin.write(input);
const [results] = await once(createInterface({ input: running.stdout }), 'line');
running.stdin.end();
for (const [what, value] of Object.entries(JSON.parse(results))) console.log(`${what}: ${value}`);
server.kill();
await once(server, 'exit');
rmSync(data, { recursive: true });
