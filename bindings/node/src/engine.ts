// The engine of bindings/js over the addon.

import { hostname } from 'node:os';
import * as timers from 'node:timers';

import type { Engine, EngineClient, EngineConfig, Host, Item } from '../../js/src/engine.js';
import { Platform } from '../../js/src/events.gen.js';
import { VERSION } from '../../js/src/version.gen.js';
import { type Handle, loadNative, type Native } from './native.js';

/** As it is when this is loaded: the clock that a test of an app puts in its place must not stop a client. */
const { setImmediate } = timers;

export class NodeEngine implements Engine {
  readonly host: Host = {
    platform:
      { win32: Platform.Windows, darwin: Platform.Mac }[process.platform as string] ??
      Platform.Linux,
    sdk: `tim-node/${VERSION}`,
    label: upTo64Bytes(hostname()),
    dataDir: '',
    endpoint: process.env['TIM_ENDPOINT'] ?? '',
  };

  private loaded: Native | undefined;

  /** The addon, from its first use on: it starts the Go runtime, which takes some 10 ms. */
  private get native(): Native {
    return (this.loaded ??= loadNative());
  }

  version(): string {
    return this.native.version();
  }

  create(config: EngineConfig, deliver: (items: readonly Item[]) => void): EngineClient | number {
    const { native } = this;
    const take = (items: Item[]) => {
      setImmediate(pump); // promise jobs, timers and I/O come between two batches
      deliver(items);
    };
    const made = native.create(config, take);
    if (typeof made === 'number') return made;
    const pump = () => native.pump(made, take);
    return new NodeClient(native, made);
  }
}

class NodeClient implements EngineClient {
  constructor(
    private readonly native: Native,
    private readonly handle: Handle,
  ) {}

  login(request: number, userID: string, ticket: string): number {
    return this.native.login(this.handle, request, userID, ticket);
  }
  logout(request: number): number {
    return this.native.logout(this.handle, request);
  }
  renew(request: number, ticket: string): number {
    return this.native.renew(this.handle, request, ticket);
  }
  provideTicket(request: number, ticket: string): number {
    return this.native.provideTicket(this.handle, request, ticket);
  }
  wake(): number {
    return this.native.wake(this.handle);
  }
  setBackground(background: boolean): number {
    return this.native.setBackground(this.handle, background);
  }
  close(): number {
    return this.native.close(this.handle);
  }

  status() {
    return this.handle.status();
  }
  ready(): boolean {
    return this.handle.ready();
  }
  user(): string {
    return this.handle.user();
  }
  serverTimeMs(): number {
    return this.handle.serverTimeMs();
  }

  ref(): void {
    this.native.hold(this.handle, true);
  }
  unref(): void {
    this.native.hold(this.handle, false);
  }
}

/** The host's name, cut where it is too long for a label. */
function upTo64Bytes(name: string): string {
  let cut = name;
  while (Buffer.byteLength(cut) > 64) cut = Array.from(cut).slice(0, -1).join('');
  return cut;
}
