// bundle.mjs APP PLATFORM ENTRY OUT makes the production bundle of an app, with the app's own Metro configuration.

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const [app, platform, entry, out] = process.argv.slice(2);
const require = createRequire(join(app, 'package.json'));
const modules = dirname(dirname(require.resolve('react-native/package.json')));
const { loadConfig, runBuild } = require('metro');

const config = await loadConfig({
  cwd: app,
  'max-workers': 2,
  config: join(app, 'metro.config.js'),
});
await runBuild(
  {
    ...config,
    reporter: { update() {} },
    resolver: { ...config.resolver, nodeModulesPaths: [modules] },
    watchFolders: [app, modules],
  },
  { dev: false, entry, minify: true, out, platform },
);
