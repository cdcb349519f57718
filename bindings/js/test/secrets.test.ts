// Whatever an app does, and however loud the log is: no ticket is ever printed, thrown or shown.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';

import { fakeWorld } from './fake/world.js';
import * as tim from './under-test.js';
import { until } from './world.js';

test('no ticket on the console, in the log, in an error or in an envelope', async () => {
  const world = fakeWorld(tim);
  const seen: string[] = [];
  const real = { ...console };
  for (const method of ['log', 'debug', 'info', 'warn', 'error', 'trace'] as const) {
    console[method] = (...values: unknown[]) =>
      void seen.push(values.map((value) => inspect(value)).join(' '));
  }
  const note = (value: unknown) => void seen.push(inspect(value, { depth: 9, showHidden: true }));
  const tickets: string[] = [];
  const ticket = async (...of: Parameters<typeof world.ticket>) => {
    tickets.push(await world.ticket(...of));
    return tickets.at(-1)!;
  };
  try {
    const { endpoint, sdkAppID } = world;
    tim.configure({ endpoint, ticketProvider: () => ticket('alice') });
    const { v2TIMManager } = tim.TencentImSDKPlugin;
    await v2TIMManager.initSDK(sdkAppID, tim.LogLevelEnum.V2TIM_LOG_DEBUG);
    const chat = tim.TencentCloudChat.create({ SDKAppID: sdkAppID });
    chat.setLogLevel(0);
    const client = new tim.TimClient({ endpoint, sdkAppID, logLevel: tim.LogLevel.Debug });
    client.on('log', note);
    for (const kind of ['expired', 'forged', { seconds: 3 }, 'good'] as const) {
      const userSig = await ticket('alice', kind);
      note(await v2TIMManager.login('alice', userSig));
      note(await v2TIMManager.login(userSig, 'alice'));
      note(await v2TIMManager.callExperimentalAPI('renewUserSig', { userSig }));
      await chat.login({ userID: 'alice', userSig }).then(note, note);
      await chat.login({ userID: { userSig } as never, userSig }).then(note, note);
      await client.login('alice', userSig).then(note, note);
      await client.renew(userSig).then(note, note);
    }
    let kicked = false;
    client.on('kickedOffline', (kick) => note(kick)).on('ready', (ready) => (kicked = !ready));
    await world.kick('alice');
    await until(() => kicked, 'it was kicked');
    await Promise.all([v2TIMManager.unInitSDK(), chat.destroy(), client.close()]);
  } finally {
    Object.assign(console, real);
    await world.end();
  }
  assert.ok(
    seen.length > 30 && seen.some((line) => line.includes('login user=alice')),
    `${seen.length} lines`,
  );
  for (const line of seen) {
    for (const secret of tickets) assert.ok(!line.includes(secret.slice(1, 40)), line);
  }
});
