// The examples, as a reader runs them: copied, with the packed packages installed, against a real server.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { Code, TimClient } from '@opentim/node';

import { patient } from '../../js/test/world.js';
import { packed, root, run } from './packed.js';
import { Running } from './run.js';
import { type App, Server } from './server.js';

const folder = mkdtempSync(join(tmpdir(), 'tim-examples-'));

let server: Server;
const tarballs = (['node', 'node-linux-x64', 'usersig'] as const).map(packed);

/** A copy of an example with what it needs: what is not ours as a lock file of this test says, where there is one. */
async function install(name: string): Promise<string> {
  const dir = join(folder, name);
  cpSync(join(root, 'examples/node', name), dir, { recursive: true });
  const pinned = join(root, 'bindings/node/test', name);
  if (existsSync(pinned)) cpSync(pinned, dir, { recursive: true });
  const flags = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'];
  await run(dir, ['npm', 'install', ...tarballs, ...flags, '--loglevel=error']);
  return dir;
}

/** What the environment tells an example about its app. */
const environment = (app: App, more: object = {}) => ({
  ...process.env,
  TIM_ENDPOINT: app.endpoint,
  TIM_APP: String(app.id),
  TIM_KEY_FILE: server.keyFile,
  ...more,
});

before(async () => {
  server = await Server.start();
});
after(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

test('login: says what happens, and logs out at Ctrl-C', async () => {
  const cwd = await install('login');
  const app = server.app();
  const dev = { endpoint: app.endpoint, app: app.id, user: 'alice', ticket: app.ticket('alice') };
  writeFileSync(join(cwd, 'dev.json'), JSON.stringify(dev));
  const example = new Running(spawn(process.execPath, ['login.mjs', 'dev.json'], { cwd }));
  await example.prints('is logged in');
  example.kill('SIGINT');
  const out = 'connecting\nconnected\nalice is logged in; Ctrl-C logs out\nlogged out\n';
  assert.deepEqual(await example.ended, { code: 0, signal: null, out, err: '' });
});

test('ticket server: a password is worth a session, a session is worth tickets of its own user, and no more', async (t) => {
  const cwd = await install('ticket-server');
  const app = server.app();
  for (const name of ['alice', 'bob']) {
    const line = execFileSync(process.execPath, ['passwords.mjs', name], {
      cwd,
      input: `of ${name}\n`,
    });
    writeFileSync(join(cwd, 'users.jsonl'), line, { flag: 'a' });
  }
  const env = environment(app, { PORT: '0' });
  const example = new Running(spawn(process.execPath, ['server.mjs'], { cwd, env }));
  await example.prints('\n');
  const url = example.printed.trim();
  const post = (path: string, body: unknown, token?: string) =>
    fetch(url + path, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const start = Date.now();
  const session = await post('/session', { name: 'alice', password: 'of alice' });
  const { token } = (await session.json()) as { token: string };
  assert.equal(session.status, 201);

  await t.test(
    'its ticket logs in, for the user of the session, whoever is asked for',
    async () => {
      const answer = await post('/ticket', { userID: 'bob' }, token);
      assert.equal(answer.headers.get('Cache-Control'), 'no-store');
      const { userID, ticket } = (await answer.json()) as { userID: string; ticket: string };
      assert.equal(userID, 'alice');
      await using client = new TimClient({ endpoint: app.endpoint, sdkAppID: app.id, ...patient });
      await client.login('alice', ticket);
      assert.equal(client.user, 'alice');
      await assert.rejects(client.login('bob', ticket), { code: Code.TicketUserMismatch });
    },
  );
  await t.test('it lets nobody else in', async () => {
    for (const [body, status] of [
      [{ name: 'alice', password: 'of bob' }, 401],
      [{ name: 'carol', password: 'of carol' }, 401],
      [{ name: '__proto__', password: 'x' }, 401],
      [{ name: 'alice' }, 400],
      [{ name: ['alice'], password: 'of alice' }, 400],
      ['{ no JSON', 400],
      [{ name: 'alice', password: 'x'.repeat(2000) }, 413],
    ] as const)
      assert.equal(
        (await post('/session', body)).status,
        status,
        JSON.stringify(body).slice(0, 50),
      );
    for (const wrong of [undefined, '', 'x', `${token}x`])
      assert.equal((await post('/ticket', {}, wrong)).status, 401);
  });
  await t.test('guessing is slow, and so is collecting', async () => {
    const untilRefused = async (perMinute: number, call: () => Promise<Response>) => {
      const statuses: number[] = [];
      while (statuses.at(-1) !== 429) {
        statuses.push((await call()).status);
        const minutes = 1 + Math.floor((Date.now() - start) / 60_000);
        assert.ok(statuses.length <= perMinute * minutes, `${statuses} in ${minutes} min`);
      }
      return new Set(statuses);
    };
    const guess = () => post('/session', { name: 'alice', password: 'guess' });
    await untilRefused(10, guess);
    const collect = () => post('/ticket', {}, token);
    assert.deepEqual(await untilRefused(20, collect), new Set([200, 429]));
  });
  example.kill('SIGTERM');
  assert.deepEqual(await example.ended, { code: 0, signal: null, out: `${url}\n`, err: '' });
});

test('bot: it is started before the server, and survives restarts and crashes of it', async (t) => {
  const cwd = await install('bot');
  const app = server.app();
  const online = async () => {
    const { QueryResult } = await app.rest('openim/query_online_status', { To_Account: ['news'] });
    return QueryResult[0].Status as string;
  };
  let bot!: Running;
  await server.restart('SIGTERM', async () => {
    const args = ['bot.mjs', 'news'];
    bot = new Running(spawn(process.execPath, args, { cwd, env: environment(app) }));
    await bot.saysWrong('ConnectRefused');
  });
  await bot.prints('online\n');

  await t.test('a restart, then a crash', async () => {
    for (const [i, signal] of (['SIGTERM', 'SIGKILL'] as const).entries()) {
      await server.restart(signal, () => bot.prints('away: ', i + 1));
      await bot.prints('online again\n', i + 1);
      assert.equal(await online(), 'Online');
    }
  });
  await t.test('stopped, it logs out', async () => {
    bot.kill('SIGTERM');
    assert.equal((await bot.ended).code, 0);
    assert.equal(await online(), 'Offline');
  });
  const again = (seconds: number) => {
    const env = environment(app, { TICKET_SECONDS: String(seconds) });
    return new Running(spawn(process.execPath, ['bot.mjs', 'news'], { cwd, env }));
  };
  /** Where the machine is so busy that a ticket ends before the next one is there, it is told again with longer ones. */
  const stays = async (seconds: number): Promise<void> => {
    const started = again(seconds);
    await Promise.race([started.prints('online\n').catch(() => {}), started.ended]);
    await new Promise((resolve) => setTimeout(resolve, 1500 * seconds)); // one and a half lives of a ticket
    const status = await online();
    const out = started.printed;
    if (out.startsWith('online\n')) started.kill('SIGTERM');
    const { err } = await started.ended;
    if (seconds < 60 && (out !== 'online\n' || status !== 'Online')) return stays(2 * seconds);
    assert.deepEqual([out, status, err], ['online\n', 'Online', '']);
  };
  await t.test('with tickets that end all the time it stays', () => stays(2));
  await t.test('when its session is ended, so does it', async () => {
    const started = again(3600);
    await started.prints('online\n');
    await app.rest('im_open_login_svc/kick', { UserID: 'news' });
    const { code, out, err } = await started.ended;
    assert.deepEqual([code, err], [1, '']);
    assert.match(out, /^online\nsigned out: /);
  });
});
