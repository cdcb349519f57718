// What @opentim/react-native is in the tests: everything of it over an engine in memory, whose devices are iPhones.

import { Platform } from '../../../bindings/js/src/index.js';
import { installEngine } from '../../../bindings/js/src/engine.js';
import { FakeEngine } from '../../../bindings/js/test/fake/engine.js';

const engine = new FakeEngine();
engine.host.platform = Platform.IOS;
installEngine(engine);

export * from '../../../bindings/js/src/index.js';
