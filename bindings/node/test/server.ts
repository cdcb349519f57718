// A real timd with many apps, so that each test has an app of its own, and the REST API of that app.

import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import { sign } from '../../usersig/src/index.js';
import { ownAddress } from './address.js';
import { Timd } from './timd.js';

const APPS = 200;
const FIRST_APP = 1400000001;
const ADMIN = 'administrator';

/** An app of a running server. */
export class App {
  constructor(
    readonly endpoint: string,
    readonly id: number,
    readonly key: string,
  ) {}

  ticket(userID: string, seconds = 86_400): string {
    return sign(this.id, this.key, userID, seconds);
  }

  expiredTicket(userID: string): string {
    return sign(this.id, this.key, userID, 60, { issued: new Date(Date.now() - 3_600_000) });
  }

  forgedTicket(userID: string): string {
    return sign(this.id, 'another key', userID, 86_400);
  }

  /** Calls the REST API and returns its answer, whatever it is. */
  async rest(command: string, body: object): Promise<Record<string, any>> {
    const { host } = new URL(this.endpoint);
    const query = new URLSearchParams({
      sdkappid: String(this.id),
      identifier: ADMIN,
      usersig: this.ticket(ADMIN),
      random: String(randomInt(2 ** 31)),
      contenttype: 'json',
    });
    const url = `http://${host}/v4/${command}?${query}`;
    const call = request(url, { method: 'POST' }); // fetch cannot connect under wine
    call.end(JSON.stringify(body));
    const [answer] = (await once(call, 'response')) as [IncomingMessage];
    return JSON.parse(await text(answer)) as Record<string, any>;
  }
}

export class Server {
  private made = 0;
  private endpoint = '';
  private timd: Timd | undefined;
  private readonly folder = mkdtempSync(join(tmpdir(), 'tim-node-'));
  private key = randomBytes(32).toString('hex');
  /** A file with the key of every app. */
  readonly keyFile = join(this.folder, 'app.key');

  /** Starts a server, or finds the one of TEST_SERVER, where none can be started: see serve.ts. */
  static async start(): Promise<Server> {
    const server = new Server();
    const { TEST_SERVER } = process.env;
    if (TEST_SERVER !== undefined) return Object.assign(server, JSON.parse(TEST_SERVER));
    writeFileSync(server.keyFile, `${server.key}\n`, { mode: 0o600 });
    await server.serve(`${ownAddress()}:0`);
    return server;
  }

  /** What TEST_SERVER has to be for others. */
  get shared(): string {
    return JSON.stringify({ endpoint: this.endpoint, key: this.key });
  }

  private async serve(listen: string): Promise<void> {
    const apps = Array.from({ length: APPS }, (_, i) => ({
      id: FIRST_APP + i,
      key_file: this.keyFile,
      admins: [ADMIN],
    }));
    const config = {
      listen,
      data_dir: join(this.folder, 'data'),
      node: 'test',
      drain_time: '0s',
      limits: { user_logins_per_second: 0 }, // storms log the same users in again and again
      log: { format: 'json' },
      apps,
    };
    const file = join(this.folder, 'timd.yaml');
    writeFileSync(file, JSON.stringify(config)); // JSON is YAML
    this.timd = await Timd.start(file);
    this.endpoint = this.timd.endpoint;
  }

  /** An app that no test has had yet, if the server still runs. */
  app(): App {
    this.timd?.check();
    if (this.made === APPS) throw new Error('there are no more apps: raise APPS');
    return new App(this.endpoint, FIRST_APP + this.made++, this.key);
  }

  /** Ends the server by a signal, lets away happen, and starts it again at the same place. */
  async restart(signal: NodeJS.Signals, away: () => Promise<void>): Promise<void> {
    await this.end(signal);
    await away();
    await this.serve(new URL(this.endpoint).host);
  }

  /** Ends the server, and fails if it had ended before. */
  async stop(): Promise<void> {
    try {
      await this.end('SIGTERM');
    } finally {
      rmSync(this.folder, { recursive: true });
    }
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const { timd } = this;
    this.timd = undefined;
    await timd?.end(signal);
  }
}
