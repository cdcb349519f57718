import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';

import { ownAddress } from './address.js';

/** Passes connections on to a server, until they are cut. */
export class Proxy {
  private readonly sockets = new Set<Socket>();
  private server: Server | undefined;
  private readonly address = ownAddress();
  private port = 0;

  constructor(private readonly target: URL) {}

  /** Where it listens, once it was healed. */
  get endpoint(): string {
    const url = new URL(this.target);
    url.hostname = this.address;
    url.port = String(this.port);
    return String(url);
  }

  /** Lets connections through, at the same place as before. */
  async heal(): Promise<void> {
    if (this.server !== undefined) return;
    this.server = createServer((near) => {
      const far = connect(Number(this.target.port), this.target.hostname);
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.sockets.add(from);
        from.on('error', () => {}); // close comes, too
        from.on('close', () => {
          this.sockets.delete(from);
          to.destroy();
        });
        from.pipe(to);
      }
    });
    this.server.listen(this.port, this.address);
    await once(this.server, 'listening');
    this.port = (this.server.address() as { port: number }).port;
  }

  /** Ends all connections and refuses new ones. */
  async cut(): Promise<void> {
    const { server } = this;
    if (server === undefined) return;
    this.server = undefined;
    const closed = once(server, 'close');
    server.close();
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }
}
