// How a ticket is taken apart: text, zlib, JSON, form. Every refusal is a sentence about "the ticket".

import { inflateSync } from 'node:zlib';

import { checkUserID, type Claims, limits } from './claims.js';
import { Code } from './codes.gen.js';
import { UserSigError } from './errors.js';

/** A ticket that has the right form. Whether it is genuine is not known yet. */
export interface Read {
  readonly claims: Claims;
  /** 32 bytes. */
  readonly mac: Buffer;
  /** The JSON has a member for a userbuf, even if it is empty. */
  readonly hasUserBuf: boolean;
}

export function read(text: string): Read {
  if (typeof text !== 'string' || text === '')
    throw new UserSigError(Code.TicketEmpty, 'the ticket is empty');
  const raw = decode(text);
  const document = inflate(raw, text.length);
  return form(parse(document));
}

function unreadable(why: string): UserSigError {
  return new UserSigError(Code.TicketUnreadable, `the ticket ${why}`);
}

function malformed(why: string): UserSigError {
  return new UserSigError(Code.TicketMalformed, `the ticket ${why}`);
}

/** Undoes the base64. Line breaks do no harm, as with other verifiers. */
function decode(text: string): Buffer {
  if (text.length > limits.text) {
    throw unreadable(`has ${text.length} characters; at most ${limits.text} are read`);
  }
  const whole = text.replace(/[\r\n]/g, '');
  const foreign = /[^A-Za-z0-9*_-]/u.exec(whole);
  if (foreign)
    throw unreadable(
      `has ${JSON.stringify(foreign[0])} as character ${foreign.index + 1}, which no ticket has`,
    );
  if (/_[^_]/.test(whole))
    throw unreadable('was altered: a ticket ends with _, but it goes on after that');
  if (whole.length % 4 !== 0 || /^_|___/.test(whole))
    throw unreadable(`is cut off after ${text.length} characters`);
  return Buffer.from(whole.replace(/\*/g, '+').replace(/-/g, '/').replace(/_/g, '='), 'base64');
}

function inflate(raw: Buffer, length: number): string {
  try {
    return inflateSync(raw, { maxOutputLength: limits.document }).toString('utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE')
      throw unreadable(`inflates to more than ${limits.document} bytes`);
    if (code === 'Z_BUF_ERROR') throw unreadable(`is cut off after ${length} characters`);
    if (message === 'incorrect data check') throw unreadable('was altered: its checksum is wrong');
    throw unreadable('is not compressed with zlib, or was altered');
  }
}

function parse(document: string): Record<string, unknown> {
  if ((document.match(/[:{[]/g)?.length ?? 0) > limits.parts) {
    throw unreadable(`has more than ${limits.parts} parts`);
  }
  let object: unknown;
  try {
    object = JSON.parse(document);
  } catch {
    throw unreadable('does not hold JSON');
  }
  if (object === null) return {};
  if (typeof object !== 'object' || Array.isArray(object))
    throw malformed('does not hold a JSON object');
  return object as Record<string, unknown>;
}

/** Refuses what no signer may write. Members that it does not know may be anything. */
function form(object: Record<string, unknown>): Read {
  const text = (name: string) => member(object, name, 'string', 'string') as string | undefined;
  const number = (name: string) => {
    const value = member(object, name, 'number', 'whole number, 0 or more') as number | undefined;
    if (value === undefined || (Number.isInteger(value) && value >= 0)) return value;
    throw malformed(`has a ${name} that is no whole number, 0 or more`);
  };
  const members = {
    'TLS.ver': text('TLS.ver'),
    'TLS.identifier': text('TLS.identifier'),
    'TLS.sdkappid': number('TLS.sdkappid'),
    'TLS.time': number('TLS.time'),
    'TLS.expire': number('TLS.expire'),
    'TLS.sig': text('TLS.sig'),
  };
  const userBuf = text('TLS.userbuf');
  const missing = Object.entries(members).filter(([, value]) => value === undefined);
  if (missing.length > 0) throw malformed(`has no ${missing.map(([name]) => name).join(', ')}`);
  const present = members as {
    [Name in keyof typeof members]: NonNullable<(typeof members)[Name]>;
  };
  if (present['TLS.ver'] !== '2.0') throw malformed('has a TLS.ver that is not "2.0"');
  const claims = {
    user: userIDOf(present['TLS.identifier']),
    app: present['TLS.sdkappid'],
    issued: present['TLS.time'],
    validity: present['TLS.expire'],
    userBuf: userBuf ?? '',
  };
  if (Math.max(claims.app, claims.issued, claims.validity) > Number.MAX_SAFE_INTEGER) {
    throw malformed('has a number larger than 2^53-1');
  }
  const mac = signature(present['TLS.sig']);
  if (!isBase64(claims.userBuf)) throw malformed('has a TLS.userbuf that is not base64');
  return { claims, mac, hasUserBuf: userBuf !== undefined };
}

/** A member's value; undefined if it is missing or null. */
function member(
  object: Record<string, unknown>,
  name: string,
  type: string,
  called: string,
): unknown {
  const value = object[name] ?? undefined;
  if (value === undefined || typeof value === type) return value;
  throw malformed(`has a ${name} that is no ${called}`);
}

function userIDOf(identifier: string): string {
  try {
    checkUserID(identifier);
    return identifier;
  } catch {
    throw malformed('has a TLS.identifier that is no userID');
  }
}

function signature(base64: string): Buffer {
  const mac = Buffer.from(base64, 'base64');
  const exact = isBase64(base64) && mac.toString('base64') === base64.replace(/[\r\n]/g, '');
  if (!exact) throw malformed('has a TLS.sig that is not base64');
  if (mac.length !== 32)
    throw malformed(`has a TLS.sig of ${mac.length} bytes; HMAC-SHA256 has 32`);
  return mac;
}

/** Line breaks are allowed, as in MIME: an old Java library wrote and signed them. */
function isBase64(text: string): boolean {
  const whole = text.replace(/[\r\n]/g, '');
  return whole.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(whole);
}
