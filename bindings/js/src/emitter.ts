import { guarded } from './host.js';

interface Entry {
  readonly listener: Function;
  readonly context: unknown;
  readonly once: boolean;
}

/**
 * Listeners by the name of their event. The same listener is kept once for an event. What one throws goes to the host; the
 * others are called all the same. Whoever is added or removed while an event is told counts from the next one on, except that
 * a removed listener is not called any more.
 */
export class Emitter {
  private readonly entries = new Map<string, readonly Entry[]>();

  add(event: string, listener: Function, once = false, context?: unknown): void {
    const before = this.entries.get(event) ?? [];
    if (before.some((entry) => entry.listener === listener)) return;
    this.entries.set(event, [...before, { listener, context, once }]);
  }

  remove(event: string, listener: Function): void {
    const before = this.entries.get(event) ?? [];
    const after = before.filter((entry) => entry.listener !== listener);
    if (after.length > 0) this.entries.set(event, after);
    else this.entries.delete(event);
  }

  clear(): void {
    this.entries.clear();
  }

  emit(event: string, ...payload: unknown[]): void {
    for (const entry of this.entries.get(event) ?? []) {
      if (!this.entries.get(event)?.includes(entry)) continue;
      if (entry.once) this.remove(event, entry.listener);
      guarded(() => entry.listener.apply(entry.context, payload));
    }
  }
}
