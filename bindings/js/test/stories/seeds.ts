// The samples of the documentation, as they are printed, with one line that an app adds: configure.

import TencentCloudChat, { configure } from '@tencentcloud/chat';
import { configure as configureV2TIM, LogLevelEnum, TencentImSDKPlugin } from 'react-native-tim-js';

import * as chatSamples from '../seeds/chat.js';
import * as v2timSamples from '../seeds/v2tim.js';
import { equal, logInFor, ok, patient, type Story, until, type World } from '../world.js';

const { v2TIMManager } = TencentImSDKPlugin;

/** Runs a story between initSDK and unInitSDK. */
function v2tim(name: string, run: (world: World, heard: string[]) => Promise<void>): Story {
  return {
    name: `V2TIM sample: ${name}`,
    async run(world) {
      const heard: string[] = [];
      configureV2TIM({ endpoint: world.endpoint, ...patient });
      await v2TIMManager.initSDK(world.sdkAppID, LogLevelEnum.V2TIM_LOG_NONE, {
        onConnecting: () => heard.push('onConnecting'),
        onConnectSuccess: () => heard.push('onConnectSuccess'),
        onConnectFailed: (code, error) =>
          heard.push(`onConnectFailed ${typeof code} ${typeof error}`),
        onKickedOffline: () => heard.push('onKickedOffline'),
        onUserSigExpired: () => heard.push('onUserSigExpired'),
        onSelfInfoUpdated: () => heard.push('onSelfInfoUpdated'),
        onUserStatusChanged: () => heard.push('onUserStatusChanged'),
      });
      try {
        await run(world, heard);
      } finally {
        await v2TIMManager.logout();
        await v2TIMManager.unInitSDK();
      }
    },
  };
}

/** What the sample of login did. */
async function login(userID: string, userSig: string): Promise<number> {
  let code = -1;
  await v2timSamples.login(
    userID,
    userSig,
    () => (code = 0),
    (res) => {
      ok(res.desc.length > 10, `desc says why: ${res.desc}`);
      code = res.code;
    },
  );
  return code;
}

async function status(): Promise<string> {
  let status = '';
  await v2timSamples.getLoginStatus((told) => (status = told));
  return status;
}

const v2timStories = [
  v2tim('login, success', async ({ ticket }, heard) => {
    equal(await status(), 'not logged in');
    equal(await v2timSamples.getLoginUser(), '');
    const answer = login('alice', await ticket('alice'));
    const meanwhile = await status();
    ok(meanwhile === 'logging in' || meanwhile === 'logged in', meanwhile); // on a quick day; trap 1 makes sure
    equal(await answer, 0);
    equal(await status(), 'logged in');
    equal(await v2timSamples.getLoginUser(), 'alice');
    equal(heard, ['onConnecting', 'onConnectSuccess']);
  }),
  v2tim(
    'login, failure: an expired ticket is 70001, and 6206 from then on',
    async ({ ticket, tim }) => {
      const expired = await ticket('alice', 'expired');
      equal(await login('alice', expired), tim.Code.TicketExpired);
      equal(await login('alice', expired), tim.Code.UserSigExpired);
      equal(await v2timSamples.getLoginUser(), '');
      equal(await login('alice', await ticket('alice')), 0);
    },
  ),
  v2tim('login, repeated', async ({ ticket }, heard) => {
    equal(await login('alice', await ticket('alice')), 0);
    equal(await login('alice', await ticket('alice')), 0);
    equal(heard, ['onConnecting', 'onConnectSuccess']);
  }),
  v2tim('logout', async ({ ticket, online }) => {
    await login('alice', await ticket('alice'));
    let done = false;
    await v2timSamples.logout(() => (done = true));
    ok(done, 'the logout succeeded');
    equal(await status(), 'not logged in');
    equal(await v2timSamples.getLoginUser(), '');
    equal(await online('alice'), []);
  }),
  v2tim(
    'another device kicks this one, which logs in again',
    async ({ ticket, tim, signInElsewhere }, heard) => {
      await login('alice', await ticket('alice'));
      await signInElsewhere('alice', tim.Platform.Android);
      await until(() => heard.includes('onKickedOffline'), 'it was kicked');
      equal(await status(), 'not logged in');
      equal(await v2timSamples.getLoginUser(), '');
      equal(await login('alice', await ticket('alice')), 0);
      equal(heard.filter((event) => event === 'onKickedOffline').length, 1);
    },
  ),
  v2tim('the ticket ends while the user is online', async (world, heard) => {
    const { ticket } = world;
    await logInFor(world, 2, 'alice', (userSig) => login('alice', userSig));
    await until(() => heard.includes('onUserSigExpired'), 'the ticket ended');
    equal(await status(), 'not logged in');
    equal(await login('alice', await ticket('alice')), 0);
    ok(!heard.includes('onKickedOffline'), 'that is no kick');
  }),
  v2tim(
    'the network goes and comes back: no login is needed',
    async ({ ticket, cut, heal }, heard) => {
      await login('alice', await ticket('alice'));
      await cut();
      await until(() => heard.includes('onConnectFailed number string'), 'the connection was lost');
      equal(await status(), 'logged in');
      equal(await v2timSamples.getLoginUser(), 'alice');
      await heal();
      await until(() => heard.lastIndexOf('onConnectSuccess') > 1, 'it came back');
    },
  ),
  v2tim('alice is logged in, and bob logs in without a logout', async ({ ticket, online }) => {
    await login('alice', await ticket('alice'));
    equal(await login('bob', await ticket('bob')), 0);
    equal(await v2timSamples.getLoginUser(), 'bob');
    equal([(await online('alice')).length, (await online('bob')).length], [0, 1]);
  }),
];

/** Keeps what a sample prints. */
class Notes implements chatSamples.Printer {
  readonly lines: any[][] = [];
  log(...values: any[]): void {
    this.lines.push(['log', ...values]);
  }
  warn(...values: any[]): void {
    this.lines.push(['warn', ...values]);
  }
  /** The lines since the last time. */
  take(): any[][] {
    return this.lines.splice(0);
  }
}

type Chat = ReturnType<typeof TencentCloudChat.create>;

/** Runs a story between create and destroy. */
function chat(name: string, run: (world: World, chat: Chat, notes: Notes) => Promise<void>): Story {
  return {
    name: `Chat sample: ${name}`,
    async run(world) {
      configure({ endpoint: world.endpoint, ...patient });
      const chat = TencentCloudChat.create({ SDKAppID: world.sdkAppID });
      const notes = new Notes();
      chatSamples.listen(chat, notes);
      try {
        await run(world, chat, notes);
      } finally {
        await chatSamples.destroy(chat);
      }
    },
  };
}

const success = { actionStatus: 'OK', errorCode: 0, errorInfo: '' };

const chatStories = [
  chat('login, success', async ({ ticket }, chat, notes) => {
    equal(chatSamples.getLoginUser(chat), '');
    equal(chatSamples.isReady(chat), false);
    await chatSamples.login(chat, 'alice', await ticket('alice'), notes);
    equal(notes.take(), [['log', success]]);
    equal(chatSamples.getLoginUser(chat), 'alice');
    equal(chatSamples.isReady(chat), true);
    const ahead = chatSamples.getServerTime(chat) - Date.now();
    ok(Math.abs(ahead) < 60_000, `the server's clock is in milliseconds: ${ahead} ms from ours`);
  }),
  chat('login, failure', async ({ ticket, tim }, chat, notes) => {
    await chatSamples.login(chat, 'alice', await ticket('alice', 'expired'), notes);
    const [[warn, words, error]] = notes.take() as [
      [string, string, { code: number; message: string }],
    ];
    equal([warn, words, error.code], ['warn', 'login error:', tim.Code.TicketExpired]);
    ok(error.message.length > 10, `the message says why: ${error.message}`);
    equal(chatSamples.getLoginUser(chat), '');
  }),
  chat('login, repeated', async ({ ticket }, chat, notes) => {
    await chatSamples.login(chat, 'alice', await ticket('alice'), notes);
    notes.take();
    await chatSamples.login(chat, 'alice', await ticket('alice'), notes);
    const [[, data], [, info]] = notes.take() as [
      [string, { repeatLogin: boolean }],
      [string, string],
    ];
    equal(data.repeatLogin, true);
    ok(info.includes('alice'), `errorInfo says so: ${info}`);
  }),
  chat('logout', async ({ ticket, online, tim }, chat, notes) => {
    await chatSamples.login(chat, 'alice', await ticket('alice'), notes);
    notes.take();
    await chatSamples.logout(chat, notes);
    equal(notes.take(), [['log', {}]]);
    equal(chatSamples.isReady(chat), false);
    equal(await online('alice'), []);
    await chatSamples.logout(chat, notes);
    const [[warn, words, error]] = notes.take() as [[string, string, { code: number }]];
    equal([warn, words, error.code], ['warn', 'logout error:', tim.Code.ChatNotLoggedIn]);
  }),
  chat('another page kicks this one', async ({ ticket, tim, signInElsewhere }, chat, notes) => {
    await chatSamples.login(chat, 'alice', await ticket('alice'), notes);
    notes.take();
    await signInElsewhere('alice', tim.Platform.Web);
    await until(() => notes.lines.length > 0, 'it was kicked');
    equal(notes.take(), [['log', TencentCloudChat.TYPES.KICKED_OUT_MULT_ACCOUNT]]);
    await until(() => !chat.isReady(), 'it is not ready');
    await chatSamples.login(chat, 'alice', await ticket('alice'), notes);
    equal(notes.take(), [['log', success]]);
  }),
  chat('an administrator kicks it', async ({ ticket, kick }, chat, notes) => {
    await chatSamples.login(chat, 'alice', await ticket('alice'), notes);
    notes.take();
    await kick('alice');
    await until(() => notes.lines.length > 0, 'it was kicked');
    equal(notes.take(), [['log', TencentCloudChat.TYPES.KICKED_OUT_REST_API]]);
  }),
  chat('the ticket ends', async (world, chat, notes) => {
    await logInFor(world, 2, 'alice', async (userSig) => {
      await chatSamples.login(chat, 'alice', userSig, notes);
      const [[how, , error]] = notes.take() as [[string, unknown, { code: number }]];
      return how === 'log' ? 0 : error.code;
    });
    await until(() => notes.lines.length > 0, 'the ticket ended');
    equal(notes.take(), [['log', TencentCloudChat.TYPES.KICKED_OUT_USERSIG_EXPIRED]]);
  }),
  chat('logout, then another user logs in', async ({ ticket }, chat, notes) => {
    await chatSamples.login(chat, 'alice', await ticket('alice'), notes);
    await chatSamples.logout(chat, notes);
    await chatSamples.login(chat, 'bob', await ticket('bob'), notes);
    equal(chatSamples.getLoginUser(chat), 'bob');
  }),
];

export const seeds: readonly Story[] = [...v2timStories, ...chatStories];
