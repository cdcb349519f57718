// Where there is no addon, or it may not be loaded, the first client says what to do, and nothing earlier fails.

import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { after, before, test } from 'node:test';

import { Folder, node, type Name, packed, root, run } from './packed.js';

const folder = new Folder();

const program = `
  const { TimClient, TimError, Code } = require('@opentim/node');
  try {
    new TimClient({ endpoint: 'wss://tim.example.com', sdkAppID: 1 });
    console.log('a client');
  } catch (error) {
    console.log(error instanceof TimError && error.code === Code.NotSupported, error.message);
  }`;

async function install(name: string, packages: Name[], ...flags: string[]): Promise<string> {
  const dir = folder.app(name);
  const files = packages.map(packed);
  const quiet = ['--offline', '--no-audit', '--no-fund', '--loglevel=error'];
  await run(dir, ['npm', 'install', ...quiet, ...flags, ...files]);
  return dir;
}

let full: string;
let bare: string;
before(async () => {
  full = await install('full', ['node', 'node-linux-x64']);
  bare = await install('bare', ['node'], '--omit=optional');
});

after(() => folder.remove());

/** The program with something changed before it. */
const changed = (change: string) => `${change};${program}`;
const musl = `process.report.getReport = () => ({ header: {} })`;

test('installed without optional dependencies', async () => {
  const said = await node(bare, 'a.cjs', program);
  assert.match(said, /^true .*@opentim\/node-linux-x64 is not installed.*without --omit=optional/);
});

test('installed for another platform', async () => {
  for (const [platform, arch] of [
    ['win32', 'x64'],
    ['linux', 'arm64'],
    ['darwin', 'arm64'],
  ]) {
    const other = `
      Object.defineProperty(process, 'platform', { value: '${platform}' });
      Object.defineProperty(process, 'arch', { value: '${arch}' })`;
    const said = await node(full, 'b.cjs', changed(other));
    assert.match(said, new RegExp(`^true .*@opentim/node-${platform}-${arch} is not installed`));
  }
});

test('a platform that there is no build for', async () => {
  const other = `Object.defineProperty(process, 'arch', { value: 'riscv64' })`;
  const said = await node(full, 'c.cjs', changed(other));
  assert.match(said, /^true .*no build for linux-riscv64.*TIM_NATIVE_PATH/);
});

test('a musl system', async () => {
  const said = await node(bare, 'd.cjs', changed(musl));
  assert.match(said, /^true .*musl.*use an image with glibc/);
});

test('Node with --permission', async () => {
  for (const version of [24, 26]) {
    const there = join(process.env['TOOLS']!, `node${version}/bin/node`);
    const flags = ['--permission', '--allow-fs-read=*'];
    const { out } = await run(full, [there, ...flags, '-e', program]);
    assert.match(out, /^true .*--permission: add --allow-addons/);
    const allowed = await run(full, [there, ...flags, '--allow-addons', '-e', program]);
    assert.equal(allowed.out, 'a client\n');
  }
});

test('libtim is not beside the addon', async () => {
  const dir = await install('half', ['node', 'node-linux-x64']);
  const version = (await run(dir, [process.execPath, '-p', `require('@opentim/node').VERSION`]))
    .out;
  rmSync(join(dir, `node_modules/@opentim/node-linux-x64/libtim.so.${version.trim()}`));
  assert.match(await node(dir, 'e.cjs', program), /^true .*libtim\.so.*cannot open shared object/);
});

test('TIM_NATIVE_PATH names an addon, or nothing', async () => {
  const addon = join(root, 'build/node/node-linux-x64/tim.node');
  for (const path of [addon, relative(bare, addon)])
    assert.equal(await node(bare, 'f.cjs', program, [], { TIM_NATIVE_PATH: path }), 'a client\n');
  const wrong = { TIM_NATIVE_PATH: join(bare, 'nothing.node') };
  assert.match(
    await node(bare, 'g.cjs', program, [], wrong),
    /^true .*TIM_NATIVE_PATH names no file/,
  );
});
