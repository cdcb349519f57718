import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before } from 'node:test';

import { Server } from './server.js';

export interface Ended {
  code: number | null;
  signal: string | null;
  out: string;
  err: string;
}

/** How long a program may take, in ms, before it is killed: longer than on any machine that is merely busy. */
const enough = 600_000 + Number(process.env['STORM_MS'] ?? 0);

/** Runs programs of test/programs, each with an app of its own. To be called once in a file. */
export function programs(
  more: NodeJS.ProcessEnv = {},
): (name: string, ...args: string[]) => Running {
  let server: Server;
  const silent = createServer(() => {}); // accepts connections and says nothing
  before(async () => {
    server = await Server.start();
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    silent.unref();
  });
  after(() => server.stop());
  return (name, ...args) => {
    const app = server.app();
    const env = {
      ...process.env,
      ...more,
      TEST_ENDPOINT: app.endpoint,
      TEST_APP: String(app.id),
      TEST_KEY: app.key,
      TEST_SILENT: `ws://127.0.0.1:${(silent.address() as { port: number }).port}`,
    };
    return new Running(
      spawn(process.execPath, [join(__dirname, 'programs', `${name}.js`), ...args], { env }),
    );
  };
}

export class Running {
  private out = '';
  private err = '';
  readonly ended: Promise<Ended>;

  constructor(private readonly process: ChildProcess) {
    process.stdout!.on('data', (data) => (this.out += data));
    process.stderr!.on('data', (data) => (this.err += data));
    const stuck = setTimeout(() => process.kill('SIGKILL'), enough);
    this.ended = once(process, 'close').then(([code, signal]) => {
      clearTimeout(stuck);
      return { code, signal, out: this.out, err: this.err };
    });
  }

  /** What it has printed so far. */
  get printed(): string {
    return this.out;
  }

  /** Resolves when text was printed, so many times. */
  prints(text: string, times = 1): Promise<void> {
    return this.says('stdout', text, times);
  }

  /** The same for what it says went wrong. */
  saysWrong(text: string): Promise<void> {
    return this.says('stderr', text, 1);
  }

  private async says(stream: 'stdout' | 'stderr', text: string, times: number): Promise<void> {
    const heard = () => (stream === 'stdout' ? this.out : this.err).split(text).length > times;
    const ended = this.ended.then(() => true);
    const more = () => once(this.process[stream]!, 'data').then(() => false);
    while (!heard()) {
      if ((await Promise.race([more(), ended])) && !heard())
        throw new Error(`it ended without printing "${text}": ${this.out}${this.err}`);
    }
  }

  /** Sends it a signal, unless it has ended. */
  kill(signal: NodeJS.Signals): void {
    const { pid, exitCode, signalCode } = this.process;
    if (exitCode !== null || signalCode !== null) return;
    process.kill(pid!, signal); // Deno's ChildProcess.kill works once only
  }
}
