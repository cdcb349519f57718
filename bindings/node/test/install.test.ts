// The packages installed from their files, offline, into an empty folder: every way to use them.

import assert from 'node:assert/strict';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { Folder, login, node, packed, root, run } from './packed.js';
import { type App, Server } from './server.js';

const folder = new Folder();
let server: Server;
let app: App;
let dir: string;
const flags = ['--offline', '--no-audit', '--no-fund', '--loglevel=error'];
before(async () => {
  server = await Server.start();
  app = server.app();
  dir = folder.app('app');
  const files = (['node', 'node-linux-x64', 'usersig'] as const).map(packed);
  await run(dir, ['npm', 'install', ...flags, ...files]);
});
after(async () => {
  folder.remove();
  await server.stop();
});

/** Compiles as strictly as can be, and the declarations of the packages, too. */
async function tsc(compiler: string, cwd: string, ...args: string[]): Promise<void> {
  const types = ['--typeRoots', join(root, 'node_modules/@types'), '--types', 'node'];
  const strictly = ['--noEmit', '--strict', '--target', 'es2020', ...types];
  await run(cwd, [process.execPath, join(compiler, 'bin/tsc'), ...strictly, ...args]);
}
const current = join(root, 'node_modules/typescript');
const oldest = join(process.env['TOOLS']!, 'typescript-oldest');

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

test('TypeScript 5.2 and newer, as CommonJS and as ESM, with every way to resolve modules', async () => {
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
  await tsc(oldest, dir, '--module', 'node16', 'use.cts', 'use.mts');
  await tsc(current, dir, '--module', 'nodenext', 'use.cts', 'use.mts');
  await tsc(current, dir, '--module', 'esnext', '--moduleResolution', 'bundler', 'use.ts');
});

test('an app that was written for the originals changes its dependencies, and says where the server is', async () => {
  const there = folder.app('written for the originals');
  const file = `file:${packed('node')}`;
  const dependencies = [`@tencentcloud/chat@${file}`, `react-native-tim-js@${file}`];
  await run(there, ['npm', 'install', ...flags, ...dependencies, packed('node-linux-x64')]);
  const program = `
    import TencentCloudChat from '@tencentcloud/chat';
    import { TencentImSDKPlugin, LogLevelEnum } from 'react-native-tim-js';
    const chat = TencentCloudChat.create({ SDKAppID: ${app.id} });
    const imResponse = await chat.login({ userID: 'alice', userSig: '${app.ticket('alice')}' });
    console.log(imResponse.data.actionStatus, chat.getLoginUser());
    await chat.destroy();
    const { v2TIMManager } = TencentImSDKPlugin;
    await v2TIMManager.initSDK(${app.id}, LogLevelEnum.V2TIM_LOG_NONE);
    const res = await v2TIMManager.login('bob', '${app.ticket('bob')}');
    console.log(res.code, (await v2TIMManager.getLoginUser()).data);
    await v2TIMManager.unInitSDK();`;
  const env = { TIM_ENDPOINT: app.endpoint };
  assert.equal(await node(there, 'a.mjs', program, [], env), 'OK alice\n0 bob\n');

  const apps = ['chat-app', 'v2tim-app'].map((name) => {
    const source = join(root, `bindings/js/test/types/${name}.ts`);
    cpSync(source, join(there, `${name}.mts`));
    return `${name}.mts`;
  });
  await tsc(current, there, '--module', 'nodenext', '--exactOptionalPropertyTypes', ...apps);
});
