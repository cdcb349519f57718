import { Code } from '../../js/src/codes.gen.js';
import { TimError } from '../../js/src/errors.js';
import found, { type Spec } from './NativeTim.js';

/** The C++ of this package, if the app has it. */
export const present = found ?? undefined;

/**
 * The C++ of this package.
 *
 * @throws TimError with `Code.NotSupported` that says what to do
 */
export function native(): Spec {
  if (present !== undefined) return present;
  throw new TimError(Code.NotSupported, 'load @opentim/react-native', whyMissing());
}

function whyMissing(): string {
  const { expo, process, RN$Bridgeless } = globalThis as Globals;
  if (process?.env?.['JEST_WORKER_ID'] !== undefined)
    return 'there is no native code in Jest: mock this package in the test';
  if (expo?.modules?.['ExpoGo'] !== undefined)
    return 'Expo Go has no native code but its own: make a development build with npx expo run:android or run:ios';
  if (RN$Bridgeless !== true)
    return 'it needs the New Architecture: turn newArchEnabled on and build the app again';
  return 'the app was built without it: run pod install, for iOS, and build the app again';
}

interface Globals {
  /** Jest sets JEST_WORKER_ID. */
  readonly process?: { readonly env?: Record<string, string | undefined> };
  readonly expo?: { readonly modules?: Record<string, unknown> };
  /** React Native sets it in the New Architecture. */
  readonly RN$Bridgeless?: boolean;
}
