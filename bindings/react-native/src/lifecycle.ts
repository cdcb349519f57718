// What the engine must be told of the app's life: that it went to the background or came back, and that the network changed.

import { AppState } from 'react-native';

/** Who is told. */
export interface Life {
  setBackground(background: boolean): void;
  wake(): void;
}

/** Tells life from now on. Returns whether the app is in the background. */
export function follow(life: Life): boolean {
  followNetwork(() => life.wake());
  return followApp(life);
}

/** Coming to the front wakes the engine, too. `inactive` is a moment of iOS in between, such as a call that comes in: it says nothing. */
function followApp(life: Life): boolean {
  AppState.addEventListener('change', (state) => {
    if (state === 'background' || state === 'active') life.setBackground(state === 'background');
  });
  return AppState.currentState === 'background';
}

/** What NetInfo tells of the network. */
interface NetInfoState {
  readonly type: string;
  readonly isConnected: boolean | null;
}
interface NetInfo {
  addEventListener(listener: (state: NetInfoState) => void): unknown;
}

/** Calls changed when there is a network that is another one than before, in apps that have NetInfo. */
function followNetwork(changed: () => void): void {
  let before: string | undefined;
  netInfo()?.addEventListener(({ type, isConnected }) => {
    const now = `${type} ${isConnected}`;
    if (before !== undefined && now !== before && isConnected !== false) changed();
    before = now;
  });
}

declare function require(name: string): unknown;

/** A literal inside try: Metro and webpack then know that the app may do without it. */
function netInfo(): NetInfo | undefined {
  try {
    const module = require('@react-native-community/netinfo') as NetInfo & { default?: NetInfo };
    return module.default ?? module;
  } catch {
    return undefined;
  }
}
