// The package in an app that has no C++ of it: everything can be imported, and what is called says in a sentence what to do.
// The folder that BARE names has the package, and a react-native without native modules.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);

const program = (globals) => `
  Object.assign(globalThis, ${JSON.stringify(globals)});
  const { configure, TencentImSDKPlugin, TimClient } = await import('@opentim/react-native');
  const endpoint = 'ws://127.0.0.1:7700';
  configure({ endpoint });
  const { code, desc } = await TencentImSDKPlugin.v2TIMManager.initSDK(1400000001, 3);
  const { desc: version } = await TencentImSDKPlugin.v2TIMManager.getVersion();
  let thrown;
  try { new TimClient({ endpoint, sdkAppID: 1400000001 }); } catch (error) { thrown = error; }
  console.log(JSON.stringify({ code, desc, version, thrown: thrown.message }));
`;

for (const [name, globals, hint, ...flags] of [
  ['in the old architecture', {}, /turn newArchEnabled on and build the app again/],
  ['in Expo Go', { expo: { modules: { ExpoGo: {} } } }, /make a development build/],
  ['in an app that was built without it', { RN$Bridgeless: true }, /run pod install, for iOS/],
  [
    'in Jest',
    { RN$Bridgeless: true, process: { env: { JEST_WORKER_ID: '1' } } },
    /mock this package in the test/,
  ],
  ['in a browser', {}, /use it on Android and iOS only/, '--conditions=browser'],
]) {
  test(name, async () => {
    const arguments_ = [...flags, '--input-type=module', '--eval', program(globals)];
    const { stdout, stderr } = await run(process.execPath, arguments_, { cwd: process.env.BARE });
    assert.equal(stderr, '');
    const { code, ...texts } = JSON.parse(stdout);
    assert.equal(code, 7013);
    for (const text of Object.values(texts)) assert.match(text, hint);
  });
}
