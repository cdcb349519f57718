import type { Item } from './engine.js';
import { later } from './host.js';

/**
 * Hands items on, one at a time, in order. After a result it first lets the code run that awaits it: a listener that the app
 * adds right after `await client.login(…)` misses nothing that happened after the login.
 * What waits meanwhile is what came in one turn of the event loop.
 */
export class Inbox {
  private waiting: Item[] = [];
  private running = false;

  constructor(private readonly take: (item: Item) => void) {}

  push(items: readonly Item[]): void {
    this.waiting = this.waiting.concat(items);
    if (!this.running) this.run();
  }

  private run(): void {
    this.running = true;
    for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
      this.take(next);
      const following = this.waiting[0];
      if (next.type === 'result' && following !== undefined && following.type !== 'result') {
        later(() => this.run());
        return;
      }
    }
    this.running = false;
  }
}
