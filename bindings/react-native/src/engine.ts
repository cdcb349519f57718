// The engine of bindings/js over the C++ of this package.

import type { Engine, EngineClient, EngineConfig, Host, Item } from '../../js/src/engine.js';
import { EventKind, type LoginStatus, type Platform } from '../../js/src/events.gen.js';
import { VERSION } from '../../js/src/version.gen.js';
import { label, platform } from './device.js';
import { follow } from './lifecycle.js';
import { native, present } from './native.js';
import type { Spec } from './NativeTim.js';

type Deliver = (items: readonly Item[]) => void;

export class ReactNativeEngine implements Engine {
  readonly host: Host = new Phone();

  /** Who hears which client; a client is in it until its last item. */
  private readonly clients = new Map<number, Deliver>();
  private background: boolean | undefined;

  version(): string {
    return native().version();
  }

  create(config: EngineConfig, deliver: Deliver): EngineClient | number {
    const tim = native();
    this.background ??= this.start(tim);
    const made = tim.open({ ...config, background: config.background || this.background });
    if (made < 0) return -made;
    this.clients.set(made, deliver);
    return new NativeClient(tim, made);
  }

  /** Listens, once, to C++ and to the app's life. Returns whether the app is in the background. */
  private start(tim: Spec): boolean {
    tim.onItems((client) => this.take(tim, client));
    return follow({
      setBackground: (background) => {
        this.background = background;
        for (const client of this.clients.keys()) tim.setBackground(client, background);
      },
      wake: () => {
        for (const client of this.clients.keys()) tim.wake(client);
      },
    });
  }

  private take(tim: Spec, client: number): void {
    const deliver = this.clients.get(client);
    if (deliver === undefined) return; // another copy of this package made it
    const items = tim.take(client) as Item[];
    const last = items[items.length - 1];
    if (last === undefined) return;
    if (last.type === 'event' && last.kind === EventKind.Closed) this.clients.delete(client);
    deliver(items);
  }
}

/** What is known of the device is asked when it is needed: an app may import this package before it uses it. */
class Phone implements Host {
  readonly sdk = `tim-react-native/${VERSION}`;
  readonly endpoint = '';

  get platform(): Platform {
    return platform();
  }
  get label(): string {
    return label();
  }
  get dataDir(): string {
    return present?.dataDir() ?? '';
  }
}

class NativeClient implements EngineClient {
  constructor(
    private readonly tim: Spec,
    private readonly client: number,
  ) {}

  login(request: number, userID: string, ticket: string): number {
    return this.tim.login(this.client, request, userID, ticket);
  }
  logout(request: number): number {
    return this.tim.logout(this.client, request);
  }
  renew(request: number, ticket: string): number {
    return this.tim.renew(this.client, request, ticket);
  }
  provideTicket(request: number, ticket: string): number {
    return this.tim.provideTicket(this.client, request, ticket);
  }
  wake(): number {
    return this.tim.wake(this.client);
  }
  setBackground(background: boolean): number {
    return this.tim.setBackground(this.client, background);
  }
  close(): number {
    return this.tim.close(this.client);
  }

  status(): LoginStatus {
    return this.tim.status(this.client) as LoginStatus;
  }
  ready(): boolean {
    return this.tim.ready(this.client);
  }
  user(): string {
    return this.tim.user(this.client);
  }
  serverTimeMs(): number {
    return this.tim.serverTimeMs(this.client);
  }
}
