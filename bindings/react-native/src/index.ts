// @opentim/react-native: what all bindings share, over the C++ of this one.

import { installEngine } from '../../js/src/engine.js';
import { ReactNativeEngine } from './engine.js';

installEngine(new ReactNativeEngine());

export * from '../../js/src/index.js';
export { default } from '../../js/src/index.js';
