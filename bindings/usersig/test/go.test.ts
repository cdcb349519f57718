// The server is written in Go. It must accept what is signed here, and refuse for the same reasons.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { Code, sign, verify } from '../src/index';
import { failures, pack, spellings } from './tickets';
import { app, end, key, repository } from './vectors';

const skip = spawnSync('go', ['version']).status === 0 ? false : 'go is not installed';
let folder = '';

function tim(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(join(folder, 'tim'), args, { cwd: folder, encoding: 'utf8' });
}

before(() => {
  if (skip) return;
  folder = mkdtempSync(join(tmpdir(), 'usersig-'));
  const built = spawnSync('go', ['build', '-o', join(folder, 'tim'), './cmd/tim'], {
    cwd: repository,
    encoding: 'utf8',
  });
  assert.equal(built.status, 0, built.stderr);
  writeFileSync(join(folder, 'key'), key);
});
after(() => rmSync(folder, { recursive: true, force: true }));

const who = ['--app', `${app}`, '--key-file', 'key'];
const check = (ticket: string, user = 'alice') =>
  tim('sig', 'verify', '--user', user, '--json', ...who, '--', ticket);

test('tim accepts what is signed here', { skip }, () => {
  for (const user of ['alice', 'user_A-1', '"\\ \'<&>~']) {
    const { status, stdout, stderr } = check(
      sign(app, key, user, 86400, { userBuf: new Uint8Array([0, 1, 2]) }),
      user,
    );
    assert.equal(status, 0, stderr);
    const held = JSON.parse(stdout);
    assert.deepEqual([held.user, held.app, held.userbuf], [user, app, 'AAEC']);
  }
});

test('what tim signs is accepted here, and is the same text', { skip }, () => {
  const { stdout } = tim('sig', 'make', 'alice', '--expire', '24h', ...who);
  const ticket = stdout.trim();
  const { issued, expires } = verify(ticket, { sdkAppID: app, userID: 'alice', key });
  assert.equal(expires.getTime() - issued.getTime(), 86_400_000);
  assert.equal(sign(app, key, 'alice', 86400, { issued }), ticket);
});

test('tim and this package refuse each ticket for the same reason', { skip }, () => {
  for (const [name, ticket, code] of failures) {
    const { status, stderr } = check(ticket);
    assert.equal(status, 1, name);
    assert.match(stderr, new RegExp(`\\(${code}\\)`), `${name}: ${stderr}`);
  }
});

test('tim reads every spelling that is read here', { skip }, () => {
  assert.ok(end * 1000 < Date.now(), 'these tickets are old');
  for (const [name, document] of spellings) {
    // All that is wrong with them is their age, which is the last thing that is looked at.
    assert.match(check(pack(document)).stderr, new RegExp(`\\(${Code.TicketExpired}\\)`), name);
  }
});
