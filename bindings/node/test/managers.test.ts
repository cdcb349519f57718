// Package managers install @opentim/node from a registry, with no script of ours, and once more without a network.

import assert from 'node:assert/strict';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { Folder, login, node, Registry, run } from './packed.js';
import { Server } from './server.js';

const folder = new Folder();
let registry: Registry;
let server: Server;
before(async () => {
  registry = await Registry.start();
  server = await Server.start();
});
after(async () => {
  registry.stop();
  folder.remove();
  await server.stop();
});

interface Manager {
  install: string[];
  /** The same without a network, from the cache and the lock file. */
  offline: string[];
  files?: (registry: string) => Record<string, string>;
  env?: NodeJS.ProcessEnv;
  /** What Node needs to find packages. */
  flags?: string[];
  esmFlags?: string[];
  /** It fetches the builds for all platforms, and installs one. */
  fetchesAll?: boolean;
}

const tool = (path: string) => [process.execPath, join(process.env['TOOLS']!, path)];
const npm = ['npm', '--loglevel=error', '--no-audit', '--no-fund'];
const pnpm = tool('pnpm/bin/pnpm.mjs');
const classic = tool('yarn/bin/yarn.js');
const berry = tool('@yarnpkg/cli-dist/bin/yarn.js');

const yarnrc = (linker: string) => (url: string) => ({
  '.yarnrc.yml': [
    `nodeLinker: ${linker}`,
    `npmRegistryServer: "${url}"`,
    'unsafeHttpWhitelist: ["127.0.0.1"]',
    'enableTelemetry: false',
    'enableGlobalCache: false',
    'enableMirror: false',
    'enableImmutableInstalls: false',
    'pnpEnableEsmLoader: true',
  ].join('\n'),
});

const managers: Record<string, Manager> = {
  npm: { install: [...npm, 'install'], offline: [...npm, 'ci', '--offline'] },
  pnpm: {
    install: [...pnpm, 'install', '--ignore-scripts'],
    offline: [...pnpm, 'install', '--offline', '--frozen-lockfile'],
  },
  'yarn 1': {
    install: [...classic, 'install', '--ignore-scripts'],
    offline: [...classic, 'install', '--offline', '--frozen-lockfile'],
    fetchesAll: true,
  },
  'yarn 4 with node_modules': {
    install: [...berry, 'install'],
    offline: [...berry, 'install', '--immutable'],
    files: yarnrc('node-modules'),
  },
  'yarn 4 with PnP': {
    install: [...berry, 'install'],
    offline: [...berry, 'install', '--immutable'],
    files: yarnrc('pnp'),
    flags: ['--require', './.pnp.cjs'],
    esmFlags: ['--experimental-loader', './.pnp.loader.mjs', '--no-warnings'],
  },
};

for (const [name, manager] of Object.entries(managers)) {
  test(`${name} installs it, twice, the second time offline`, { timeout: 1_200_000 }, async () => {
    const { flags = [], esmFlags = [] } = manager;
    const dir = folder.app(`app of ${name}`, {
      'package.json': '{ "private": true, "dependencies": { "@opentim/node": "*" } }',
      '.npmrc': `registry=${registry.url}/\nignore-scripts=true\n`,
      ...manager.files?.(registry.url),
    });
    const env = {
      CI: '',
      HOME: join(folder.path, 'home'), // nothing that this machine is set to, or has in a cache
      XDG_DATA_HOME: '',
      XDG_CACHE_HOME: '',
      npm_config_registry: registry.url,
      npm_config_cache: join(folder.path, 'npm cache'),
      YARN_CACHE_FOLDER: join(folder.path, `cache of ${name}`),
    };
    const app = server.app();
    const program = login(app);
    const worker = `const { TimClient } = require('@opentim/node');${program}`;
    const runs = async () => {
      const require = `const { TimClient } = require('@opentim/node');`;
      assert.equal(await node(dir, 'a.cjs', require + program, flags), 'alice\n');
      const imports = `import { TimClient } from '@opentim/node';`;
      assert.equal(await node(dir, 'a.mjs', imports + program, [...flags, ...esmFlags]), 'alice\n');
      const main = `new (require('node:worker_threads').Worker)(${JSON.stringify(worker)}, { eval: true });`;
      assert.equal(await node(dir, 'worker.cjs', main, flags), 'alice\n');
    };

    registry.fetched.length = 0;
    await run(dir, manager.install, env);
    const builds = manager.fetchesAll ? ['linux-arm64', 'linux-x64', 'win32-x64'] : ['linux-x64'];
    assert.deepEqual(registry.fetched.map((file) => file.replace(/-\d.*/, '')).sort(), [
      'opentim-node',
      ...builds.map((build) => `opentim-node-${build}`),
    ]);
    await runs();

    for (const made of readdirSync(dir).filter((file) =>
      /^node_modules$|^\.pnp|^\.yarn$/.test(file),
    ))
      rmSync(join(dir, made), { recursive: true });
    registry.fetched.length = 0;
    await run(dir, manager.offline, { ...env, npm_config_registry: 'http://127.0.0.1:9' });
    assert.deepEqual(registry.fetched, []);
    await runs();
  });
}

test('npm installs for another platform what that one needs', async () => {
  for (const [os, cpu] of [
    ['linux', 'arm64'],
    ['win32', 'x64'],
  ] as const) {
    const dir = folder.app(`${os} ${cpu}`);
    const flags = [`--registry=${registry.url}`, `--os=${os}`, `--cpu=${cpu}`];
    await run(dir, [...npm, 'install', '@opentim/node', ...flags]);
    assert.deepEqual(readdirSync(join(dir, 'node_modules/@opentim')), [
      'node',
      `node-${os}-${cpu}`,
    ]);
  }
});
