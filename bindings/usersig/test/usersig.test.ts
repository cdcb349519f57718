import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspect } from 'node:util';

import {
  Api,
  Code,
  limits,
  Privilege,
  privateMapKey,
  sign,
  UserSigError,
  verify,
} from '../src/index';
import { alice, failures, lastSecond, pack, plain, spellings } from './tickets';
import { app, at, end, key, repository, time, unpack, vectors } from './vectors';

const expected = { sdkAppID: app, userID: 'alice', key };
const code = (number: Code) => (error: unknown) =>
  error instanceof UserSigError && error.code === number;

for (const vector of vectors) {
  const { decoded } = vector;
  const issued = decoded['TLS.time'] as number;
  const validity = decoded['TLS.expire'] as number;
  const userID = decoded['TLS.identifier'] as string;
  const userBuf =
    decoded['TLS.userbuf'] &&
    new Uint8Array(Buffer.from(decoded['TLS.userbuf'] as string, 'base64'));

  test(`${vector.name}: what the vendor's libraries write is written`, () => {
    const options = { issued: at(issued), ...(userBuf && { userBuf }) };
    assert.deepEqual(unpack(sign(vector.sdkappid, vector.key, userID, validity, options)), decoded);
  });

  for (const library of ['node', 'python'] as const) {
    test(`${vector.name}: what ${library} wrote is accepted to its last second`, () => {
      const want = {
        sdkAppID: vector.sdkappid,
        userID,
        issued: at(issued),
        expires: at(issued + validity),
        ...(userBuf && { userBuf }),
      };
      const check = (now: Date) => verify(vector[library], { ...want, key: vector.key }, now);
      for (const now of [at(0), at(issued), at(issued + validity), at(issued + validity + 0.999)]) {
        assert.deepEqual(check(now), want);
      }
      assert.throws(() => check(at(issued + validity + 1)), code(Code.TicketExpired));
    });
  }
}

for (const [name, ticket, want, why] of failures) {
  test(`refused: ${name}`, () => {
    assert.throws(
      () => verify(ticket, expected, at(time)),
      (error) => {
        assert.ok(error instanceof UserSigError, inspect(error));
        assert.equal(error.code, want);
        assert.match(error.message, why);
        return true;
      },
    );
  });
}

for (const [name, document, userBuf] of spellings) {
  test(`read: ${name}`, () => {
    for (const level of [0, 1, 6, 9]) {
      const ticket = verify(pack(document, level), expected, lastSecond);
      assert.deepEqual([...(ticket.userBuf ?? [])], userBuf ?? []);
      assert.deepEqual([ticket.userID, ticket.expires], ['alice', at(end)]);
    }
  });
}

test('line breaks in a ticket do no harm, up to the most that is read', () => {
  verify(`${alice.slice(0, 76)}\r\n${alice.slice(76)}\n`, expected, at(time));
  const filled = alice + '\n'.repeat(limits.text - alice.length);
  verify(filled, expected, at(time));
  assert.throws(() => verify(`${filled}\n`, expected, at(time)), /at most 8192 are read/);
});

test('each key of a rotation verifies, and no key is said to be none', () => {
  for (const signer of ['newest', 'older']) {
    const ticket = sign(app, signer, 'alice', 60);
    verify(ticket, { ...expected, key: ['newest', '', 'older'] });
    assert.throws(
      () => verify(ticket, { ...expected, key: ['another'] }),
      code(Code.TicketKeyMismatch),
    );
    for (const none of ['', [], ['']]) {
      assert.throws(() => verify(ticket, { ...expected, key: none }), code(Code.TicketKeyMissing));
    }
  }
});

test('what sign refuses', () => {
  const refused: [Code, ...unknown[]][] = [
    [Code.TicketKeyMissing, app, '', 'alice', 60],
    [Code.TicketKeyMissing, app, undefined, 'alice', 60],
    [Code.InvalidUserID, app, key, '', 60],
    [Code.InvalidUserID, app, key, 7, 60],
    [Code.InvalidUserID, app, key, 'a'.repeat(33), 60],
    [Code.InvalidUserID, app, key, 'alice\nTLS.sdkappid:1', 60],
    [Code.InvalidUserID, app, key, 'a\x7f', 60],
    [Code.InvalidUserID, app, key, '爱丽丝', 60],
    [Code.InvalidParameters, 0, key, 'alice', 60],
    [Code.InvalidParameters, 2 ** 53, key, 'alice', 60],
    [Code.InvalidParameters, `${app}`, key, 'alice', 60],
    [Code.InvalidParameters, NaN, key, 'alice', 60],
    [Code.InvalidParameters, app, key, 'alice', 0],
    [Code.InvalidParameters, app, key, 'alice', -1],
    [Code.InvalidParameters, app, key, 'alice', 1.5],
    [Code.InvalidParameters, app, key, 'alice', limits.validity + 1],
    [Code.InvalidParameters, app, key, 'alice', Infinity],
    [Code.InvalidParameters, app, key, 'alice', undefined],
    [Code.InvalidParameters, app, key, 'alice', 60, { issued: new Date(NaN) }],
    [Code.InvalidParameters, app, key, 'alice', 60, { issued: at(-1) }],
    [
      Code.InvalidParameters,
      app,
      key,
      'alice',
      60,
      { userBuf: new Uint8Array(limits.userBuf + 1) },
    ],
  ];
  for (const [want, ...args] of refused) {
    assert.throws(
      () => sign(...(args as Parameters<typeof sign>)),
      code(want),
      inspect(args).slice(0, 80),
    );
  }
});

test('a ticket from now is valid from now', () => {
  const before = Date.now();
  const { issued, expires } = verify(sign(app, key, 'alice', 60), expected);
  assert.ok(issued.getTime() > before - 1000, 'in whole seconds');
  assert.ok(issued.getTime() <= Date.now());
  assert.equal(expires.getTime() - issued.getTime(), 60_000);
});

test('the largest ticket that is signed can be read', () => {
  const userID = '"'.repeat(limits.userID);
  const userBuf = new Uint8Array(limits.userBuf).fill(255);
  const ticket = sign(Number.MAX_SAFE_INTEGER, key, userID, limits.validity, { userBuf });
  assert.ok(ticket.length <= limits.text);
  assert.deepEqual(
    verify(ticket, { sdkAppID: Number.MAX_SAFE_INTEGER, userID, key }).userBuf,
    userBuf,
  );
});

test('no bit of a document can be changed, and what cannot be read is refused, never anything else', () => {
  const document = Buffer.from(plain);
  for (let i = 0; i < document.length; i++) {
    for (let bit = 1; bit < 256; bit <<= 1) {
      const changed = Buffer.from(document);
      changed[i]! ^= bit;
      assert.throws(
        () => verify(pack(changed, 0), expected, at(time)),
        UserSigError,
        changed.toString('latin1'),
      );
    }
  }
  for (let i = 0; i < alice.length; i++) {
    for (const character of ['A', '9', '*', '-', '_', '\0', '"', 'é']) {
      const changed = alice.slice(0, i) + character + alice.slice(i + 1);
      try {
        // What is changed may mean the same: base64 has bits that nobody reads.
        assert.equal(verify(changed, expected, at(time)).expires.getTime(), at(end).getTime());
      } catch (error) {
        assert.ok(error instanceof UserSigError, inspect(error));
      }
    }
  }
  for (const nothing of [undefined, null, 7, {}]) {
    assert.throws(() => verify(nothing as never, expected), code(Code.TicketEmpty));
  }
});

test('a time that is none accepts nothing', () => {
  assert.throws(() => verify(alice, expected, new Date(NaN)), code(Code.TicketExpired));
});

test('errors and inspection show no key', () => {
  const secret = 'correct horse battery staple';
  assert.doesNotMatch(inspect(new Api(app, secret), { showHidden: true, depth: 9 }), /horse/);
  for (const wrong of [
    () => sign(0, secret, 'alice', 1),
    () => verify(alice, { ...expected, key: secret }, at(time)),
  ]) {
    assert.throws(
      wrong,
      (error) => !inspect(error).includes('horse') && !inspect(error).includes(alice),
    );
  }
});

test('privateMapKey writes what the vendor writes', () => {
  const expires = at(time + 300);
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
  assert.equal(
    base64(privateMapKey(app, 'xiaojun', expires, { id: 10000, may: Privilege.All })),
    vectors[3]!.decoded['TLS.userbuf'],
  );
  const may = Privilege.Enter + Privilege.ReceiveAudio + Privilege.ReceiveVideo;
  assert.equal(
    base64(privateMapKey(app, 'xiaojun', expires, { name: '1000000040', may })),
    vectors[4]!.decoded['TLS.userbuf'],
  );
});

test('what privateMapKey refuses', () => {
  const expires = at(time);
  for (const [want, ...args] of [
    [Code.InvalidUserID, app, '', expires, { id: 1, may: 1 }],
    [Code.InvalidParameters, 2 ** 32, 'alice', expires, { id: 1, may: 1 }],
    [Code.InvalidParameters, app, 'alice', at(2 ** 32), { id: 1, may: 1 }],
    [Code.InvalidParameters, app, 'alice', expires, { may: 1 }],
    [Code.InvalidParameters, app, 'alice', expires, { id: 0, may: 1 }],
    [Code.InvalidParameters, app, 'alice', expires, { name: '', may: 1 }],
    [Code.InvalidParameters, app, 'alice', expires, { id: 1, name: 'room', may: 1 }],
    [Code.InvalidParameters, app, 'alice', expires, { id: 2 ** 32, may: 1 }],
    [Code.InvalidParameters, app, 'alice', expires, { id: 1, may: 0 }],
    [Code.InvalidParameters, app, 'alice', expires, { name: 'x'.repeat(limits.userBuf), may: 1 }],
  ] as [Code, ...any][]) {
    assert.throws(
      () => privateMapKey(...(args as Parameters<typeof privateMapKey>)),
      code(want),
      inspect(args).slice(0, 80),
    );
  }
});

test('Api: the names of tls-sig-api-v2, with numbers that may be strings', () => {
  const api = new Api(`${app}`, key);
  const { issued, expires } = verify(api.genUserSig('alice', '86400'), expected);
  assert.equal(expires.getTime() - issued.getTime(), 86_400_000);
  assert.equal(verify(api.genUserSig(42, 60), { ...expected, userID: '42' }).userID, '42');
  for (const [ticket, room] of [
    [api.genPrivateMapKey('alice', 300, '10000', 255), { id: 10000, may: 255 }],
    [api.genPrivateMapKeyWithStringRoomID('alice', 300, 'lobby', 42), { name: 'lobby', may: 42 }],
  ] as const) {
    const { userBuf, expires } = verify(ticket, expected);
    assert.deepEqual(userBuf, privateMapKey(app, 'alice', expires, room));
  }
  assert.throws(() => api.genUserSig('', 60), code(Code.InvalidUserID));
});

test('the version is that of tim', () => {
  const { version } = JSON.parse(
    readFileSync(join(repository, 'bindings/usersig/package.json'), 'utf8'),
  );
  assert.equal(version, readFileSync(join(repository, 'VERSION'), 'utf8').trim());
});
