import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

import type { App, Server } from '../../node/test/server.js';
import { Proxy } from '../../node/test/proxy.js';
import { Platform } from '../../js/src/events.gen.js';
import type { FromApp, ToApp } from './app/lines.js';

type Answers = Record<string, (...args: any[]) => unknown>;

/** A running host with the bundle of the stories, which tells one at a time. */
export class Host {
  private readonly process: ChildProcess;
  private readonly lines: AsyncIterator<string>;
  private readonly ended: Promise<string>; // with a code, or by a signal
  private errors = '';

  /** @param idiom what a bundle for iOS takes the device for */
  constructor(bundle: string, idiom: 'phone' | 'pad' = 'phone') {
    this.process = spawn(process.env['HOST']!, [bundle, idiom]);
    this.process.stderr!.on('data', (data) => (this.errors += data));
    this.process.stdin!.on('error', () => {}); // it ended: whoever reads hears of it
    this.ended = once(this.process, 'close').then(([code, signal]) =>
      signal === null ? `with ${code}` : `by ${signal}`,
    );
    this.lines = createInterface({ input: this.process.stdout! })[Symbol.asyncIterator]();
  }

  /** The names of the stories that it can tell: its first line. */
  async stories(): Promise<string[]> {
    const first = await this.next();
    if (!('stories' in first)) throw new Error(`its first line is ${JSON.stringify(first)}`);
    return first.stories;
  }

  /** Tells a story in an app of the server, behind a network that can be cut. */
  async tell(story: string, app: App): Promise<void> {
    const proxy = new Proxy(new URL(app.endpoint));
    await proxy.heal();
    try {
      const answers = answersOf(app, proxy);
      this.send({
        tell: story,
        endpoint: proxy.endpoint,
        direct: app.endpoint,
        sdkAppID: app.id,
      });
      for (;;) {
        const line = await this.next();
        if ('ask' in line)
          this.send(await answer(line.ask, () => answers[line.what]!(...line.args)));
        else if ('told' in line && line.error !== undefined) throw new Error(line.error);
        else return;
      }
    } finally {
      await proxy.cut();
    }
  }

  /** Ends the host by the end of its input, and fails if it has anything to complain about: a leak, or what nobody caught. */
  async end(): Promise<void> {
    this.process.stdin!.end();
    const stuck = setTimeout(() => this.kill(), 600_000);
    const how = await this.ended;
    clearTimeout(stuck);
    if (how !== 'with 0' || this.errors !== '')
      throw new Error(`the host ended ${how}:\n${this.errors}`);
  }

  /** Ends the host whatever it does. */
  kill(): void {
    this.process.kill('SIGKILL');
  }

  private send(line: ToApp): void {
    this.process.stdin!.write(`${JSON.stringify(line)}\n`);
  }

  private async next(): Promise<FromApp> {
    const { value, done } = await this.lines.next();
    if (done) throw new Error(`the host ended ${await this.ended}:\n${this.errors}`);
    return JSON.parse(value) as FromApp;
  }
}

async function answer(ask: number, get: () => unknown): Promise<ToApp> {
  try {
    return { answer: ask, value: await get() };
  } catch (error) {
    return { answer: ask, error: String(error) };
  }
}

const platforms: Record<string, Platform> = {
  iPhone: Platform.IOS,
  iPad: Platform.IPad,
  Android: Platform.Android,
  Web: Platform.Web,
};

/** What a story may ask for. */
function answersOf(app: App, proxy: Proxy): Answers {
  return {
    ticket(userID: string, kind: 'good' | 'expired' | 'forged' | { seconds: number } = 'good') {
      if (kind === 'expired') return app.expiredTicket(userID);
      if (kind === 'forged') return app.forgedTicket(userID);
      return app.ticket(userID, kind === 'good' ? undefined : kind.seconds);
    },
    async kick(UserID: string) {
      const { ErrorCode, ErrorInfo } = await app.rest('im_open_login_svc/kick', { UserID });
      if (ErrorCode !== 0) throw new Error(`the kick failed: ${ErrorInfo}`);
    },
    async online(userID: string) {
      const query = { To_Account: [userID], IsNeedDetail: 1 };
      const found = await app.rest('openim/query_online_status', query);
      const detail: { Platform: string; Status: string }[] = found.QueryResult?.[0]?.Detail ?? [];
      return detail
        .filter(({ Status }) => Status === 'Online')
        .map(({ Platform }) => platforms[Platform]);
    },
    cut: () => proxy.cut(),
    heal: () => proxy.heal(),
  };
}

/** Hosts that tell stories beside one another. */
export class Hosts {
  private readonly free: Host[];
  private readonly waiting: ((host: Host) => void)[] = [];

  constructor(
    private readonly server: Server,
    private readonly all: Host[],
  ) {
    this.free = [...all];
  }

  async stories(): Promise<string[]> {
    const [names] = await Promise.all(this.all.map((host) => host.stories()));
    return names!;
  }

  async tell(story: string): Promise<void> {
    const host =
      this.free.pop() ?? (await new Promise<Host>((resolve) => this.waiting.push(resolve)));
    try {
      await host.tell(story, this.server.app());
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.free.push(host);
      else next(host);
    }
  }

  async end(): Promise<void> {
    await Promise.all(this.all.map((host) => host.end()));
  }

  kill(): void {
    for (const host of this.all) host.kill();
  }
}
