// config.mjs FROM FILE checks what a tool found of our package, in the JSON that it printed: FROM is cli or expo.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const [from, file] = process.argv.slice(2);
const { dependencies } = JSON.parse(readFileSync(file, 'utf8'));
const found = dependencies['@opentim/react-native'];
assert(found, `${from} does not find @opentim/react-native`);
const { android, ios } = found.platforms;

if (android) {
  assert.equal(android.isPureCxxDependency, true);
  assert.equal(android.libraryName, 'TimSpec');
  assert.equal(android.cxxModuleCMakeListsModuleName, 'opentim-react-native');
  assert.equal(android.cxxModuleHeaderName, 'NativeTim');
  assert.match(android.cmakeListsPath, /react-native\/android\/generated\/jni\/CMakeLists\.txt$/);
  assert.match(android.cxxModuleCMakeListsPath, /react-native\/android\/CMakeLists\.txt$/);
  for (const path of [android.cmakeListsPath, android.cxxModuleCMakeListsPath]) readFileSync(path);
}
if (ios) assert.match(ios.podspecPath, /react-native\/opentim-react-native\.podspec$/);
console.log(`${from}: ${[android && 'Android', ios && 'iOS'].filter(Boolean).join(' and ')}`);
