// Where the documents and the code of the originals disagree, what tim does, through each face. The numbers are those of the
// list that the design was made from; 9 to 11 are about REST calls and webhooks.

import { equal, logInFor, ok, patient, type Story, turns, until, type World } from '../world.js';
import { type Row, throughEachFace } from './faces.js';

const rows: readonly Row[] = [
  {
    name: 'trap 1: logged out, logging in and logged in are told apart',
    async run({ ticket, cut, heal }, client, face) {
      const seen = face.name === 'Chat' ? [undefined, undefined] : ['logged out', 'logging in'];
      equal(await client.status(), seen[0]);
      const userSig = await ticket('alice');
      await cut(); // or the login may be over before anybody looks
      const login = client.login('alice', userSig);
      equal(await client.status(), seen[1]);
      await heal();
      await login;
      equal(await client.status(), 'logged in');
    },
  },
  {
    name: 'trap 2: a login during a login joins it, instead of failing with 2025 or 7501',
    async run({ ticket }, client) {
      const userSig = await ticket('alice');
      const answers = await Promise.all([
        client.login('alice', userSig),
        client.login('alice', userSig),
      ]);
      equal(
        answers.map(({ code }) => code),
        [0, 0],
      );
    },
  },
  {
    name: 'trap 3: a login of another user switches, instead of succeeding for the old one',
    async run({ ticket }, client) {
      await client.login('alice', await ticket('alice'));
      const { code, repeat } = await client.login('bob', await ticket('bob'));
      equal([code, repeat ?? false], [0, false]);
      equal(await client.user(), 'bob');
    },
  },
  {
    name: 'trap 5: the server time is known from the first login on, logged in or not',
    async run({ ticket }, client) {
      equal(await client.serverTime(), undefined);
      await client.login('alice', await ticket('alice'));
      await client.logout();
      const ms = await client.serverTime();
      ok(Math.abs(ms! - Date.now()) < 60_000, `${ms} ms`);
    },
  },
  {
    name: 'trap 6: who was kicked while away hears of it, and the next login succeeds the first time',
    async run({ tim, ticket, cut, heal, signInElsewhere }, client, face) {
      const { Android, Web } = tim.Platform;
      await client.login('alice', await ticket('alice'));
      await cut();
      await signInElsewhere('alice', face.name === 'Chat' ? Web : Android);
      await heal();
      await until(() => client.heard.includes('kicked'), 'it was kicked');
      await turns();
      equal(await client.user(), '');
      equal((await client.login('alice', await ticket('alice'))).code, 0);
      equal(client.heard.filter((event) => event === 'kicked').length, 1, 'kicks');
    },
  },
  {
    name: 'the ticket that ended while it was away is told, and a new one logs in',
    async run(world, client) {
      const { tim, endpoint, sdkAppID, ticket, cut, heal } = world;
      await logInFor(world, 1, 'alice', async (sig) => (await client.login('alice', sig)).code);
      const other = new tim.TimClient({ endpoint, sdkAppID, ...patient }); // which knows when tickets end
      let end = 0;
      await logInFor(world, 1, 'bob', (sig) =>
        other.login('bob', sig).then(
          ({ ticketExpires }) => ((end = ticketExpires!.getTime()), 0),
          ({ code }) => code,
        ),
      );
      await other.close();
      await cut();
      await until(() => Date.now() > end, 'the ticket is over');
      await heal();
      await until(() => client.heard.includes('expired'), 'the ticket ended');
      await turns();
      equal([await client.user(), client.heard.includes('kicked')], ['', false]);
      equal((await client.login('alice', await ticket('alice'))).code, 0);
    },
  },
  {
    name: 'trap 7: no logout is needed before another login, and none has to be waited for',
    async run({ ticket, online }, client) {
      await client.login('alice', await ticket('alice'));
      const bob = await ticket('bob');
      const logout = client.logout();
      equal((await client.login('bob', bob)).code, 0);
      equal((await logout).code, 0);
      equal(await client.user(), 'bob');
      equal(await online('alice'), []);
    },
  },
  {
    name: 'trap 8: the end of a client with nobody logged in succeeds, and it can come again',
    async run(world, client, face) {
      await client.close();
      await client.close();
      const again = await face.open(world);
      equal((await again.login('alice', await world.ticket('alice'))).code, 0);
      await again.close();
    },
  },
];

/** What the faces do not have in common. */
const values: readonly Story[] = [
  {
    name: 'trap 1, V2TIM: the login status is 0 logged in, 1 logging in, 2 logged out',
    async run(world) {
      const manager = await v2tim(world);
      const { LoginStatusEnum } = world.tim;
      equal(LoginStatusEnum, {
        V2TIM_STATUS_LOGINED: 0,
        V2TIM_STATUS_LOGINING: 1,
        V2TIM_STATUS_LOGOUT: 2,
      });
      equal((await manager.getLoginStatus()).data, LoginStatusEnum.V2TIM_STATUS_LOGOUT);
      const userSig = await world.ticket('alice');
      await world.cut();
      const login = manager.login('alice', userSig);
      equal((await manager.getLoginStatus()).data, LoginStatusEnum.V2TIM_STATUS_LOGINING);
      await world.heal();
      await login;
      equal((await manager.getLoginStatus()).data, LoginStatusEnum.V2TIM_STATUS_LOGINED);
      await manager.unInitSDK();
    },
  },
  {
    name: 'trap 4: the server time is a number, in seconds in V2TIM and in milliseconds in Chat and TimClient',
    async run(world) {
      const alice = { userID: 'alice', userSig: await world.ticket('alice') };
      const near = (ms: unknown, what: string) =>
        ok(typeof ms === 'number' && Math.abs(ms - Date.now()) < 60_000, `${what}: ${ms} ms`);

      const manager = await v2tim(world);
      await manager.login(alice.userID, alice.userSig);
      const seconds = (await manager.getServerTime()).data;
      ok(Number.isInteger(seconds), `${seconds} s`);
      near(seconds! * 1000, 'V2TIM');
      await manager.unInitSDK();

      const instance = chat(world);
      await instance.login(alice);
      near(instance.getServerTime(), 'Chat');
      await instance.destroy();

      const { endpoint, sdkAppID } = world;
      const client = new world.tim.TimClient({ endpoint, sdkAppID, ...patient });
      await client.login(alice.userID, alice.userSig);
      near(client.serverTimeMs, 'TimClient');
      await client.close();
    },
  },
  {
    name: 'trap 5: before the first login the server time is 6014 in V2TIM, and 0 in Chat instead of a promise',
    async run(world) {
      equal(chat(world).getServerTime(), 0);
      await chat(world).destroy();
      const manager = await v2tim(world);
      const early = await manager.getServerTime();
      equal([early.code, 'data' in early], [world.tim.Code.NotLoggedIn, false]);
      await manager.unInitSDK();
    },
  },
  {
    name: 'trap 8, Chat: destroy resolves, also when nobody is logged in, and again',
    async run(world) {
      const instance = chat(world);
      equal(await instance.destroy(), { code: 0, data: {} });
      equal(await instance.destroy(), { code: 0, data: {} });
      ok(chat(world) !== instance, 'create makes another one');
      await chat(world).destroy();
    },
  },
];

/** A V2TIM manager, initialised for world. */
async function v2tim({ tim, endpoint, sdkAppID }: World) {
  const { v2TIMManager } = tim.TencentImSDKPlugin;
  tim.configure({ endpoint, ...patient });
  await v2TIMManager.initSDK(sdkAppID, tim.LogLevelEnum.V2TIM_LOG_NONE);
  return v2TIMManager;
}

function chat({ tim, endpoint, sdkAppID }: World) {
  tim.configure({ endpoint, ...patient });
  return tim.TencentCloudChat.create({ SDKAppID: sdkAppID });
}

export const traps: readonly Story[] = [...throughEachFace(rows), ...values];
