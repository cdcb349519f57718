import { Code, codeInfo } from './codes.gen.js';

/**
 * The one class of errors. `code` says what happened; compare it with {@link Code}, never with a number.
 *
 * ```ts
 * try {
 *   await client.login('alice', ticket);
 * } catch (error) {
 *   if (error instanceof TimError && error.code === Code.TicketExpired) …
 * }
 * ```
 */
export class TimError extends Error {
  /** One of {@link Code}; a number that is not in it comes from a newer server. */
  readonly code: number;
  /** The name of the code, such as `TicketExpired`, or `Unknown`. */
  readonly codeName: string;
  /** Whether trying again, without changing anything, may help. */
  readonly retryable: boolean;
  /** What led to this error, if something did. */
  readonly cause?: unknown;

  /**
   * @param what what was being done, such as `login alice`
   * @param why in words; the sentence of the table of codes if it is missing or empty
   */
  constructor(code: number, what: string, why?: string, cause?: unknown) {
    const info = codeInfo.get(code);
    super(
      `${what}: ${why || (info?.text ?? 'unknown code')} (${info?.name ?? 'Unknown'}, ${code})`,
    );
    this.name = code === Code.Canceled ? 'AbortError' : 'TimError';
    this.code = code;
    this.codeName = info?.name ?? 'Unknown';
    this.retryable = info?.retry || (cause instanceof TimError && cause.retryable);
    if (cause !== undefined) this.cause = cause;
  }
}

/** Makes a TimError of whatever was thrown. */
export function asTimError(thrown: unknown, what: string): TimError {
  if (thrown instanceof TimError) return thrown;
  return new TimError(Code.Internal, what, wordsOf(thrown), thrown);
}

/** What something that was thrown says. It may be anything, also what cannot be made a string. */
export function wordsOf(thrown: unknown): string {
  let words = '';
  try {
    words = String(thrown instanceof Error ? thrown.message : thrown);
  } catch {} // it has none
  return words || 'something was thrown that has no words';
}
