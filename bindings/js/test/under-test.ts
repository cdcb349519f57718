// What the stories of this folder test: the module over the fake engine. The names react-native-tim-js and
// @tencentcloud/chat lead here; in the tests of a package with an addon they lead to that package.

import { installEngine } from '../src/engine.js';
import { FakeEngine } from './fake/engine.js';

export const fake = new FakeEngine();
installEngine(fake);

export * from '../src/index.js';
export { default } from '../src/index.js';
