// Tickets as others write them, well and badly.

import { createHmac } from 'node:crypto';
import { deflateSync } from 'node:zlib';

import { Code, sign } from '../src/index';
import { app, at, end, key, time } from './vectors';

/** Frames a document as a ticket. */
export function pack(document: string | Buffer, level = 6): string {
  return armor(deflateSync(document, { level }));
}

export function armor(raw: Buffer): string {
  return raw.toString('base64').replace(/\+/g, '*').replace(/\//g, '-').replace(/=/g, '_');
}

/** The signature of alice's ticket, over her lines and more. */
export function macOf(key: string, more = ''): string {
  const lines = `TLS.identifier:alice\nTLS.sdkappid:${app}\nTLS.time:${time}\nTLS.expire:86400\n${more}`;
  return createHmac('sha256', key).update(lines).digest('base64');
}

export const plain = `{"TLS.ver":"2.0","TLS.identifier":"alice","TLS.sdkappid":${app},"TLS.time":${time},"TLS.expire":86400,"TLS.sig":"${macOf(key)}"}`;

/** Alice's document with a part changed. */
export function changed(from: string | RegExp, to: string, document = plain): string {
  const after = document.replace(from, () => to);
  if (after === document) throw new Error(`${from} is not in the document`);
  return pack(after);
}

export const alice = sign(app, key, 'alice', 86400, { issued: at(time) });

const sig = /"TLS\.sig":"[^"]*"/;

/** A ticket for each way to be refused, and for each order of two. */
export const failures: [name: string, ticket: string, code: Code, why: RegExp][] = [
  ['empty', '', Code.TicketEmpty, /is empty/],

  ["a stranger's character", 'eJyr#gr_', Code.TicketUnreadable, /has "#" as character 5/],
  ['a character outside ASCII', 'eJyr爱r__', Code.TicketUnreadable, /has "爱" as character 5/],
  [
    'cut off in its base64',
    alice.slice(0, 101),
    Code.TicketUnreadable,
    /is cut off after 101 characters/,
  ],
  [
    'cut off in its zlib',
    alice.slice(0, 100),
    Code.TicketUnreadable,
    /is cut off after 100 characters/,
  ],
  [
    'cut off before its checksum',
    alice.slice(0, 228),
    Code.TicketUnreadable,
    /is cut off after 228 characters/,
  ],
  ['one character', 'e', Code.TicketUnreadable, /is cut off/],
  ['only padding', '____', Code.TicketUnreadable, /is cut off/],
  ['two tickets in a row', twice(), Code.TicketUnreadable, /it goes on/],
  [
    'no zlib',
    armor(Buffer.from('hello, world')),
    Code.TicketUnreadable,
    /not compressed with zlib/,
  ],
  [
    'zlib with a dictionary',
    armor(Buffer.from([0x78, 0x3b, 0, 0, 0, 0, 0])),
    Code.TicketUnreadable,
    /not compressed/,
  ],
  [
    'deflate with a bad block',
    armor(Buffer.from([0x78, 0x01, 0x07, 0, 0, 0])),
    Code.TicketUnreadable,
    /altered/,
  ],
  ['a wrong checksum', wrongChecksum(), Code.TicketUnreadable, /its checksum is wrong/],
  ['too long', 'A'.repeat(8196), Code.TicketUnreadable, /has 8196 characters/],
  [
    'a zip bomb',
    pack(' '.repeat(8193), 9),
    Code.TicketUnreadable,
    /inflates to more than 8192 bytes/,
  ],
  [
    'a large zip bomb',
    pack(' '.repeat(4 << 20), 9),
    Code.TicketUnreadable,
    /inflates to more than|characters/,
  ],
  [
    'too many members',
    pack('{"a":0,'.repeat(256), 9),
    Code.TicketUnreadable,
    /has more than 256 parts/,
  ],
  ['no JSON', pack('hello'), Code.TicketUnreadable, /does not hold JSON/],
  ['half of the JSON', pack(plain.slice(0, 60)), Code.TicketUnreadable, /does not hold JSON/],
  ['something after the JSON', pack(`${plain}{}`), Code.TicketUnreadable, /does not hold JSON/],

  ['an array', pack('["TLS.ver"]'), Code.TicketMalformed, /does not hold a JSON object/],
  ['a number', pack('7'), Code.TicketMalformed, /does not hold a JSON object/],
  [
    'null',
    pack('null'),
    Code.TicketMalformed,
    /has no TLS\.ver, TLS\.identifier, TLS\.sdkappid, TLS\.time, TLS\.expire, TLS\.sig/,
  ],
  ['no members', pack('{}'), Code.TicketMalformed, /has no TLS\.ver/],
  [
    'members of a prototype',
    pack('{"__proto__":{"TLS.ver":"2.0"}}'),
    Code.TicketMalformed,
    /has no TLS\.ver/,
  ],
  ['no version', changed('"TLS.ver":"2.0",', ''), Code.TicketMalformed, /has no TLS\.ver/],
  [
    'no user',
    changed('"TLS.identifier":"alice",', ''),
    Code.TicketMalformed,
    /has no TLS\.identifier/,
  ],
  ['no app', changed(`"TLS.sdkappid":${app},`, ''), Code.TicketMalformed, /has no TLS\.sdkappid/],
  ['no time', changed(`"TLS.time":${time},`, ''), Code.TicketMalformed, /has no TLS\.time/],
  ['no expiry', changed('"TLS.expire":86400,', ''), Code.TicketMalformed, /has no TLS\.expire/],
  ['no signature', changed(/,"TLS\.sig":"[^"]*"/, ''), Code.TicketMalformed, /has no TLS\.sig/],
  [
    'a member that is null',
    changed('"alice"', 'null'),
    Code.TicketMalformed,
    /has no TLS\.identifier/,
  ],
  [
    'a member in other capitals',
    changed('TLS.ver', 'tls.VER'),
    Code.TicketMalformed,
    /has no TLS\.ver/,
  ],
  ['version 1', changed('"2.0"', '"1.0"'), Code.TicketMalformed, /TLS\.ver that is not "2\.0"/],
  [
    'a version that is a number',
    changed('"2.0"', '2.0'),
    Code.TicketMalformed,
    /TLS\.ver that is no string/,
  ],
  [
    'an app that is a string',
    changed(`${app}`, `"${app}"`),
    Code.TicketMalformed,
    /TLS\.sdkappid that is no whole number/,
  ],
  [
    'a time that is half a second',
    changed(`${time}`, `${time}.5`),
    Code.TicketMalformed,
    /TLS\.time that is no whole number/,
  ],
  [
    'a negative expiry',
    changed('86400', '-86400'),
    Code.TicketMalformed,
    /TLS\.expire that is no whole number/,
  ],
  [
    'an expiry that overflows',
    changed('86400', '9223372036854775807'),
    Code.TicketMalformed,
    /larger than 2\^53-1/,
  ],
  [
    'a time of 17 digits',
    changed(`${time}`, '17000000000000000'),
    Code.TicketMalformed,
    /larger than 2\^53-1/,
  ],
  [
    'a time with exponent',
    changed(`${time}`, '1e400'),
    Code.TicketMalformed,
    /TLS\.time that is no whole number/,
  ],
  [
    'a list for a user',
    changed('"alice"', '["alice"]'),
    Code.TicketMalformed,
    /TLS\.identifier that is no string/,
  ],
  [
    'a newline in the user',
    changed('alice', 'alice\\nTLS.sdkappid:1'),
    Code.TicketMalformed,
    /no userID/,
  ],
  ['a user of 33 characters', changed('alice', 'a'.repeat(33)), Code.TicketMalformed, /no userID/],
  [
    'a signature that is no base64',
    changed(sig, '"TLS.sig":"?"'),
    Code.TicketMalformed,
    /TLS\.sig that is not base64/,
  ],
  [
    'a short signature',
    changed(sig, '"TLS.sig":"AAAA"'),
    Code.TicketMalformed,
    /TLS\.sig of 3 bytes; HMAC-SHA256 has 32/,
  ],
  [
    'a hexadecimal signature',
    changed(sig, `"TLS.sig":"${'YWFh'.repeat(21)}YQ=="`),
    Code.TicketMalformed,
    /of 64 bytes/,
  ],
  [
    'a userbuf that is no base64',
    changed('}', ',"TLS.userbuf":"?"}'),
    Code.TicketMalformed,
    /TLS\.userbuf that is not base64/,
  ],

  [
    'another app',
    sign(app + 1, key, 'alice', 9, { issued: at(time) }),
    Code.TicketAppMismatch,
    /for SDKAppID 1400000001, this is 1400000000/,
  ],
  [
    'another user',
    sign(app, key, 'bob', 9, { issued: at(time) }),
    Code.TicketUserMismatch,
    /for user "bob"/,
  ],
  [
    'another user by a capital',
    sign(app, key, 'Alice', 9, { issued: at(time) }),
    Code.TicketUserMismatch,
    /for user "Alice"/,
  ],
  [
    'another key',
    sign(app, 'another key', 'alice', 9, { issued: at(time) }),
    Code.TicketKeyMismatch,
    /with another key/,
  ],
  [
    'another time than was signed',
    changed(`${time}`, `${time + 1}`),
    Code.TicketKeyMismatch,
    /another key/,
  ],
  [
    'a longer life than was signed',
    changed('86400', '86401'),
    Code.TicketKeyMismatch,
    /another key/,
  ],
  [
    'a userbuf that was not signed',
    changed('}', ',"TLS.userbuf":"AAEC"}'),
    Code.TicketKeyMismatch,
    /another key/,
  ],
  [
    'expired',
    sign(app, key, 'alice', 1, { issued: at(time - 2) }),
    Code.TicketExpired,
    /expired 1 s ago/,
  ],

  [
    'another app before another user',
    sign(app + 1, key, 'bob', 9, { issued: at(time) }),
    Code.TicketAppMismatch,
    /./,
  ],
  ['another user before another key', changed('alice', 'bob'), Code.TicketUserMismatch, /./],
  ['another key before expiry', changed('86400', '0'), Code.TicketKeyMismatch, /./],
];

/** Tickets that are good, however they are written. */
export const spellings: [name: string, document: string, userBuf?: number[]][] = [
  ['Node: compact, time before expire', plain],
  ['Go: a newline at the end', `${plain}\n`],
  ['Python: blanks', plain.replace(/":/g, '": ').replace(/,"/g, ', "')],
  ['PHP: slashes escaped', plain.replace(/\//g, '\\/')],
  [
    'an unknown member',
    plain.replace('{', '{"名":{"TLS.ver":[1,{"TLS.sig":"}"}]},"b":true,"c":-1.5e3,'),
  ],
  [
    'names and values with \\u',
    plain.replace('TLS.ver', 'TLS\\u002ever').replace('alice', '\\u0061lice'),
  ],
  [
    'numbers with fraction and exponent',
    plain.replace('86400', '8.64e4').replace(`${time}`, `${time}.0`),
  ],
  ['a member twice: the last counts', plain.replace('{', '{"TLS.sdkappid":7,"TLS.ver":"1.0",')],
  ['a userbuf', withUserBuf('TLS.userbuf:AAEC\n', '"AAEC"'), [0, 1, 2]],
  [
    'a userbuf with line breaks, signed',
    withUserBuf('TLS.userbuf:AA\nEC\n', '"AA\\nEC"'),
    [0, 1, 2],
  ],
  ['an empty userbuf, not signed', withUserBuf('', '""')],
  ['an empty userbuf, signed', withUserBuf('TLS.userbuf:\n', '""')],
  ['a userbuf that is null', withUserBuf('', 'null')],
];

function withUserBuf(line: string, value: string): string {
  return plain.replace(sig, () => `"TLS.sig":"${macOf(key, line)}","TLS.userbuf":${value}`);
}

function wrongChecksum(): string {
  const raw = deflateSync(plain, { level: 0 });
  raw[raw.length - 1]! ^= 1;
  return armor(raw);
}

function twice(): string {
  const once = sign(app, key, 'alice2', 86400, { issued: at(time) });
  if (!once.endsWith('_')) throw new Error('this ticket ends with padding');
  return once + once;
}

export const lastSecond = at(end + 0.999);
