// bundle.mjs APP PLATFORM ENTRY OUT bundles what ENTRY imports for production, with the Metro and the presets that the app, a
// folder, has. Only what sets up a screen is left out: the host has none.

import { createRequire } from 'node:module';
import { realpathSync } from 'node:fs';
import { dirname } from 'node:path';

const [, , folder, platform, entry, out] = process.argv;
const app = realpathSync(folder);
const require = createRequire(`${app}/`);
const modules = dirname(dirname(require.resolve('react-native/package.json')));
const { mergeConfig, getDefaultConfig } = require('@react-native/metro-config');

const config = mergeConfig(getDefaultConfig(app), {
  cacheStores: ({ FileStore }) => [new FileStore({ root: `${folder}/../metro` })],
  fileMapCacheDirectory: `${folder}/..`,
  maxWorkers: 1,
  reporter: { update() {} },
  resolver: { nodeModulesPaths: [modules] },
  serializer: { getModulesRunBeforeMainModule: () => [] },
  watchFolders: [app, modules],
});
await require('metro').runBuild(config, { dev: false, entry, minify: true, out, platform });
