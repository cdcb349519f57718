// Where the documents and the code of the originals disagree, what tim does. The numbers are those of the list that the
// design was made from; 9 to 11 are about REST calls and webhooks.

import { equal, ok, type Story, turns, until, type World } from '../world.js';

/** A V2TIM manager, initialised for world. */
async function v2tim({ tim, endpoint, sdkAppID }: World) {
  const { v2TIMManager } = tim.TencentImSDKPlugin;
  tim.configure({ endpoint });
  await v2TIMManager.initSDK(sdkAppID, tim.LogLevelEnum.V2TIM_LOG_NONE);
  return v2TIMManager;
}

function chat({ tim, endpoint, sdkAppID }: World) {
  tim.configure({ endpoint });
  return tim.TencentCloudChat.create({ SDKAppID: sdkAppID });
}

export const traps: readonly Story[] = [
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
      const login = manager.login('alice', await world.ticket('alice'));
      equal((await manager.getLoginStatus()).data, LoginStatusEnum.V2TIM_STATUS_LOGINING);
      await login;
      equal((await manager.getLoginStatus()).data, LoginStatusEnum.V2TIM_STATUS_LOGINED);
      await manager.unInitSDK();
    },
  },
  {
    name: 'trap 2, Chat: a login during a login joins it, instead of failing with 2025',
    async run(world) {
      const instance = chat(world);
      const options = { userID: 'alice', userSig: await world.ticket('alice') };
      const answers = await Promise.all([instance.login(options), instance.login(options)]);
      equal(
        answers.map(({ code }) => code),
        [0, 0],
      );
      await instance.destroy();
    },
  },
  {
    name: 'trap 3, Chat: a login of another user switches, instead of succeeding for the old one',
    async run(world) {
      const instance = chat(world);
      await instance.login({ userID: 'alice', userSig: await world.ticket('alice') });
      const { data } = await instance.login({ userID: 'bob', userSig: await world.ticket('bob') });
      equal(data.repeatLogin, undefined);
      equal(instance.getLoginUser(), 'bob');
      await instance.destroy();
    },
  },
  {
    name: 'trap 4: the server time is a number, in seconds in V2TIM and in milliseconds in Chat',
    async run(world) {
      const manager = await v2tim(world);
      await manager.login('alice', await world.ticket('alice'));
      const seconds = (await manager.getServerTime()).data;
      ok(Number.isInteger(seconds) && Math.abs(seconds! - Date.now() / 1000) < 60, `${seconds} s`);
      await manager.unInitSDK();

      const instance = chat(world);
      await instance.login({ userID: 'alice', userSig: await world.ticket('alice') });
      const ms = instance.getServerTime();
      ok(typeof ms === 'number' && Math.abs(ms - Date.now()) < 60_000, `${ms} ms`);
      await instance.destroy();
    },
  },
  {
    name: 'trap 5: the server time is known from the first login on, ready or not, and never a promise in Chat',
    async run(world) {
      const instance = chat(world);
      equal(instance.getServerTime(), 0);
      await instance.login({ userID: 'alice', userSig: await world.ticket('alice') });
      await instance.logout();
      ok(instance.getServerTime() > 0, 'it is known after a logout');
      await instance.destroy();

      const manager = await v2tim(world);
      const early = await manager.getServerTime();
      equal([early.code, 'data' in early], [world.tim.Code.NotLoggedIn, false]);
      await manager.login('alice', await world.ticket('alice'));
      await manager.logout();
      equal((await manager.getServerTime()).code, 0);
      await manager.unInitSDK();
    },
  },
  {
    name: 'trap 6: a login after a kick succeeds the first time',
    async run(world) {
      const manager = await v2tim(world);
      let kicks = 0;
      await manager.addIMSDKListener({ onKickedOffline: () => kicks++ });
      await manager.login('alice', await world.ticket('alice'));
      await world.signInElsewhere('alice', world.tim.Platform.Android);
      await until(() => kicks === 1, 'it was kicked');
      await turns();
      equal((await manager.login('alice', await world.ticket('alice'))).code, 0);
      await manager.unInitSDK();
    },
  },
  {
    name: 'trap 7: no logout is needed before another login, and none has to be waited for',
    async run(world) {
      const manager = await v2tim(world);
      await manager.login('alice', await world.ticket('alice'));
      const bob = await world.ticket('bob');
      const logout = manager.logout();
      equal((await manager.login('bob', bob)).code, 0);
      equal((await logout).code, 0);
      equal((await manager.getLoginUser()).data, 'bob');
      equal(await world.online('alice'), []);
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
