// @opentim/react-native where bundlers build for a browser: everything is there, and says that it cannot work.

import { Code } from '../../js/src/codes.gen.js';
import { type Engine, type Host, installEngine } from '../../js/src/engine.js';
import { TimError } from '../../js/src/errors.js';
import { Platform } from '../../js/src/events.gen.js';
import { VERSION } from '../../js/src/version.gen.js';

class NoEngine implements Engine {
  readonly host: Host = {
    platform: Platform.Web,
    sdk: `tim-react-native/${VERSION}`,
    label: '',
    dataDir: '',
    endpoint: '',
  };
  version(): never {
    const why = 'it is native code and does not run in browsers: use it on Android and iOS only';
    throw new TimError(Code.NotSupported, 'load @opentim/react-native', why);
  }
  create(): never {
    return this.version();
  }
}

installEngine(new NoEngine());

export * from '../../js/src/index.js';
export { default } from '../../js/src/index.js';
