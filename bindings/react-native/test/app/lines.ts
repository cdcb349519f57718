// What the host gives a bundle, and how the stories in it talk with the test that runs them: lines of JSON.

declare const globalThis: { onLine(line: string): void };
declare function print(line: string): void;

/** What the test sends: a story to be told, or the answer to a question. */
export type ToApp = ToTell | Answer;
export interface ToTell {
  tell: string;
  endpoint: string;
  /** Leads to the same server on a way that is never cut. */
  direct: string;
  sdkAppID: number;
}
export interface Answer {
  answer: number;
  value?: unknown;
  error?: string;
}

/** What the stories send. A story was told when its error is missing. */
export type FromApp =
  | { stories: string[] }
  | { told: string; error?: string }
  | { ask: number; what: string; args: unknown[] };

export function send(line: FromApp): void {
  print(JSON.stringify(line));
}

export function onLine(take: (line: ToApp) => void): void {
  globalThis.onLine = (line) => take(JSON.parse(line) as ToApp);
}
