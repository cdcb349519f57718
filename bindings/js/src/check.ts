// Arguments as JavaScript hands them over: anything. What passes is fit for an addon; what it means is libtim's business.

import { Code } from './codes.gen.js';
import { TimError } from './errors.js';

/** More than any argument has, and than a frame can carry: what is longer is not even copied. */
const MAX_LENGTH = 65536;

/** In a regular expression with the flag u, a surrogate matches only if it stands alone. */
const UNFIT = /[\0\uD800-\uDFFF]/u;

/** Returns value if it is a string that an addon takes, or throws a TimError that names the argument. */
export function text(what: string, name: string, value: unknown): string {
  if (typeof value !== 'string')
    throw wrong(what, `${name} must be a string, not ${kindOf(value)}`);
  if (value.length > MAX_LENGTH) throw wrong(what, `${name} has ${value.length} characters`);
  if (UNFIT.test(value))
    throw wrong(what, `${name} has a NUL character or half of a surrogate pair`);
  return value;
}

/** The same for a string that must not be empty. */
export function filled(what: string, name: string, value: unknown): string {
  if (value === '') throw wrong(what, `${name} is empty`);
  return text(what, name, value);
}

/** The same for a name that people read: at most 64 bytes. */
export function label(what: string, name: string, value: unknown): string {
  const given = text(what, name, value);
  const bytes = encodeURIComponent(given).replace(/%../g, '%').length;
  if (bytes > 64) throw wrong(what, `${name} must have at most 64 bytes, not ${bytes}`);
  return given;
}

/** The same for a name that programs read: at most 64 characters of printable ASCII. */
export function identity(what: string, name: string, value: unknown): string {
  const given = text(what, name, value);
  if (/^[ -~]{0,64}$/.test(given)) return given;
  throw wrong(what, `${name} must have at most 64 characters, of printable ASCII`);
}

/** Returns value if it is a whole number from least to most. */
export function whole(
  what: string,
  name: string,
  value: unknown,
  least: number,
  most: number,
): number {
  if (typeof value !== 'number')
    throw wrong(what, `${name} must be a number, not ${kindOf(value)}`);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw wrong(what, `${name} must be a whole number from ${least} to ${most}`);
}

/** Returns value if words, a generated table, has it. */
export function oneOf<T extends number>(
  what: string,
  name: string,
  value: unknown,
  words: Readonly<Record<T, string>>,
): T {
  if (typeof value === 'number' && words[value as T] !== undefined) return value as T;
  const choice = Object.entries(words).map(([number, word]) => `${number} (${word})`);
  throw wrong(what, `${name} must be one of ${choice.join(', ')}`);
}

export function flag(what: string, name: string, value: unknown): boolean {
  if (typeof value !== 'boolean')
    throw wrong(what, `${name} must be true or false, not ${kindOf(value)}`);
  return value;
}

export function callable(what: string, name: string, value: unknown): Function {
  if (typeof value !== 'function')
    throw wrong(what, `${name} must be a function, not ${kindOf(value)}`);
  return value;
}

export function object(what: string, name: string, value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null)
    throw wrong(what, `${name} must be an object, not ${kindOf(value)}`);
  return value as Record<string, unknown>;
}

export function abortSignal(what: string, name: string, value: unknown): void {
  const { aborted, addEventListener, removeEventListener } = object(what, name, value);
  const listens = [addEventListener, removeEventListener].every((f) => typeof f === 'function');
  if (typeof aborted === 'boolean' && listens) return;
  throw wrong(what, `${name} must be an AbortSignal`);
}

function wrong(what: string, why: string): TimError {
  return new TimError(Code.InvalidParameters, what, why);
}

/** What a value is, without saying what is in it: it may be a secret in the wrong place. */
function kindOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value;
}
