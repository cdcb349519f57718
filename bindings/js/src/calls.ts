import { Code } from './codes.gen.js';
import type { ResultItem } from './engine.js';
import { TimError } from './errors.js';

/** A call that was handed over: its number, and its answer, which rejects with the code if that is not 0. */
export interface Call {
  readonly request: number;
  readonly answer: Promise<ResultItem>;
}

interface Waiting {
  readonly what: string;
  readonly resolve: (result: ResultItem) => void;
  readonly reject: (error: TimError) => void;
}

/** The calls of a client whose answers are awaited. Each is settled once. */
export class Calls {
  private readonly waiting = new Map<number, Waiting>();
  private last = 0;

  get pending(): boolean {
    return this.waiting.size > 0;
  }

  /**
   * Makes a call, or throws if the engine does not take it.
   *
   * @param send hands the numbered call to the engine and returns the code that this gave
   * @param hint what to look at if the engine calls an argument invalid
   */
  start(what: string, send: (request: number) => number, hint?: string): Call {
    const request = ++this.last;
    const code = send(request);
    if (code !== Code.OK) {
      throw new TimError(code, what, code === Code.InvalidParameters ? hint : undefined);
    }
    const answer = new Promise<ResultItem>((resolve, reject) => {
      this.waiting.set(request, { what, resolve, reject });
    });
    return { request, answer };
  }

  /** Takes an answer. One that nobody awaits is dropped. */
  settle(result: ResultItem): void {
    const call = this.take(result.request);
    if (result.code === Code.OK) call?.resolve(result);
    else call?.reject(new TimError(result.code, call.what, reasonOf(call.what, result)));
  }

  /** Rejects a call that the app gave up, and reports whether it was awaited. */
  abandon(request: number, reason: unknown): boolean {
    const call = this.take(request);
    call?.reject(canceled(call.what, reason));
    return call !== undefined;
  }

  private take(request: number): Waiting | undefined {
    const call = this.waiting.get(request);
    this.waiting.delete(request);
    return call;
  }
}

/** What libtim says of a failure, without what a TimError says by itself: the call and the code. */
function reasonOf(what: string, { code, text }: ResultItem): string {
  const reason = text.startsWith(`${what}: `) ? text.slice(what.length + 2) : text;
  return reason.replace(` (${code})`, '');
}

/** The error of a call that the app gave up, because of reason. */
export function canceled(what: string, reason: unknown): TimError {
  return new TimError(Code.Canceled, what, undefined, reason);
}
