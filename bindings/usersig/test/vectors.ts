import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';

/** The folder of the repository. Tests run in build/usersig/test. */
export const repository = join(__dirname, '../../..');

/** A known answer: texts that the vendor's own libraries wrote, and what is in them. */
export interface Vector {
  name: string;
  sdkappid: number;
  key: string;
  node: string;
  python: string;
  decoded: Record<string, string | number>;
}

/** The vectors that the Go package is tested with. */
export const vectors: Vector[] = JSON.parse(
  readFileSync(join(repository, 'usersig/testdata/vectors.json'), 'utf8'),
);

/** What is inside a ticket, without any check. */
export function unpack(ticket: string): Record<string, string | number> {
  const base64 = ticket.replace(/\*/g, '+').replace(/-/g, '/').replace(/_/g, '=');
  return JSON.parse(inflateSync(Buffer.from(base64, 'base64')).toString());
}

export const app = 1400000000;
export const key = '5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e'; // of the published examples
/** When the tickets of these tests are signed, in seconds, and the last second they are valid. */
export const time = 1_700_000_000;
export const end = time + 86400;
/** A date from seconds. */
export const at = (seconds: number) => new Date(seconds * 1000);
