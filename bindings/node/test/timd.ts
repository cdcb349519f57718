// A timd that runs, with the end of what it logs.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const KEPT = 30; // lines of its log, and as many of a crash: the rest is dropped

export class Timd {
  /** Where it serves, once it was started. */
  endpoint = '';
  private readonly log: string[] = []; // the last lines
  private readonly crash: string[] = []; // the first lines that are no log
  private readonly process: ChildProcess;
  private readonly ended: Promise<void>;
  private how: string | undefined; // once it has ended

  private constructor(config: string, serving: () => void) {
    this.process = spawn(process.env['TIMD']!, ['serve', '--config', config], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    createInterface({ input: this.process.stderr! }).on('line', (line) => {
      this.take(line);
      if (this.endpoint !== '') serving();
    });
    this.ended = once(this.process, 'close').then(([code, signal]) => {
      this.how = signal === null ? `with ${code}` : `by ${signal}`;
    });
  }

  /** Starts it with a file of settings, and returns when it serves. */
  static async start(config: string): Promise<Timd> {
    let serving!: () => void;
    const served = new Promise<void>((resolve) => (serving = resolve));
    const timd = new Timd(config, serving);
    await Promise.race([served, timd.ended]);
    timd.check();
    return timd;
  }

  /** Throws if it has ended without being told to. */
  check(): void {
    if (this.how !== undefined) throw this.failure('ended by itself');
  }

  /** Ends it by a signal, and returns when it is gone. It must have lived until then, and must end well if it can. */
  async end(signal: NodeJS.Signals): Promise<void> {
    this.check();
    this.process.kill(signal);
    await this.ended;
    if (this.how !== `by ${signal}` && this.how !== 'with 0')
      throw this.failure(`was sent ${signal} and ended`);
  }

  private take(line: string): void {
    if (!line.startsWith('{')) {
      if (this.crash.length < KEPT) this.crash.push(line);
      return;
    }
    this.log.push(line);
    if (this.log.length > KEPT) this.log.shift();
    if (this.endpoint !== '') return;
    const { msg, endpoint } = JSON.parse(line) as { msg: string; endpoint?: string };
    if (msg === 'serving') this.endpoint = endpoint!;
  }

  private failure(what: string): Error {
    return new Error([`timd ${what}, ${this.how}:`, ...this.crash, ...this.log].join('\n'));
  }
}
