// @opentim/node: what all bindings share, over the addon of this one.

import { installEngine } from '../../js/src/engine.js';
import { NodeEngine } from './engine.js';

installEngine(new NodeEngine());

export * from '../../js/src/index.js';
export { default } from '../../js/src/index.js';
