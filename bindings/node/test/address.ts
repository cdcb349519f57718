import { randomInt } from 'node:crypto';

/**
 * An address of this machine that nobody else listens at, or will: a port of 127.0.0.1 that was left for a moment may be another
 * program's when it is wanted again.
 */
export function ownAddress(): string {
  return `127.${randomInt(1, 255)}.${randomInt(256)}.${randomInt(1, 255)}`;
}
