// Each row of the table of calls, through each face.

import { equal, logInFor, ok, patient, type Story, type Tim, turns, until } from '../world.js';
import { type Face, type Row, throughEachFace } from './faces.js';

/** The code that a face has where the Chat facade has one of its own. */
function codeOf(face: Face, usual: number, inChat: number): number {
  return face.name === 'Chat' ? inChat : usual;
}

const codeIn = ({ code }: { code: number }) => code;

/** The codes of a network that fails. */
function networkCodes({ Code }: Tim, face: Face): number[] {
  if (face.name === 'Chat')
    return [Code.ChatNetworkError, Code.ChatNetworkTimeout, Code.ChatNoNetwork];
  return [
    Code.NoNetwork,
    Code.NetworkLost,
    Code.Disconnected,
    Code.ConnectTimeout,
    Code.ConnectRefused,
    Code.NetUnreachable,
    Code.ResetByPeer,
    Code.HostNotFound,
    Code.ConnectReset,
    Code.SendTimeout,
    Code.AckTimeout,
    Code.TLSFailed,
  ];
}

const rows: Row[] = [
  {
    name: 'after its end every call says so',
    async run({ tim, ticket }, client, face) {
      await client.close();
      const want = codeOf(face, tim.Code.NotInitialized, tim.Code.ChatNotReady);
      equal((await client.login('alice', await ticket('alice'))).code, want);
      equal((await client.logout()).code, want);
    },
  },
  {
    name: 'a userID or a ticket that cannot be one is refused at once, and nothing changes',
    async run({ tim, ticket }, client, face) {
      const { Code } = tim;
      const good = await ticket('alice');
      await client.login('alice', good);
      for (const [userID, userSig, usual, inChat] of [
        ['', good, Code.InvalidParameters, Code.ChatNoUserID],
        ['a'.repeat(33), good, Code.InvalidParameters, Code.InvalidParameters],
        ['爱丽丝', good, Code.InvalidUserID, Code.InvalidUserID],
        ['a\nb', good, Code.InvalidUserID, Code.InvalidUserID],
        ['alice\0bob', good, Code.InvalidParameters, Code.InvalidParameters],
        ['bob', '', Code.InvalidParameters, Code.ChatNoUserSig],
        ['bob', 'x'.repeat(1 << 20), Code.InvalidParameters, Code.InvalidParameters],
        [42, good, Code.InvalidParameters, Code.InvalidParameters],
        ['bob', { userSig: good }, Code.InvalidParameters, Code.InvalidParameters],
      ] as [string, string, number, number][]) {
        const outcome = await client.login(userID, userSig);
        const what = JSON.stringify([userID, userSig]).slice(0, 50);
        equal(outcome.code, codeOf(face, usual, inChat), what);
      }
      equal(await client.user(), 'alice');
    },
  },
  {
    name: 'a login succeeds, and its state is there before its result',
    async run({ ticket, online, tim }, client, face) {
      const { code, repeat } = await client.login('alice', await ticket('alice'));
      equal([code, repeat ?? false], [0, false]);
      equal(await client.user(), 'alice');
      equal(await client.status(), 'logged in');
      ok(
        client.heard.includes(face.name === 'V2TIM' ? 'connected' : 'ready'),
        'it was told by then',
      );
      const platforms = await online('alice');
      equal(platforms.length, 1);
      equal(platforms[0] === tim.Platform.Web, face.name === 'Chat', 'it counts as web');
    },
  },
  {
    name: 'a login that the server refuses ends with its code',
    async run({ tim, ticket }, client) {
      const { code, message } = await client.login('alice', await ticket('alice', 'forged'));
      equal(code, tim.Code.TicketKeyMismatch);
      const { length } = message!.split(/login alice: |70009/);
      equal(length, 3, `what was done and the code, each once, in "${message}": parts`);
      equal(client.heard.filter((event) => event === 'connecting').length, 1, 'tries');
      equal((await client.login('alice', await ticket('bob'))).code, tim.Code.TicketUserMismatch);
      equal(await client.user(), '');
      equal((await client.login('alice', await ticket('alice'))).code, 0);
    },
  },
  {
    name: 'a login that reaches no server ends with the code of the network',
    options: { loginTimeoutMs: 1000 },
    async run({ tim, ticket, cut, heal }, client, face) {
      await cut();
      const { code, message } = await client.login('alice', await ticket('alice'));
      const failed = networkCodes(tim, face).includes(code);
      ok(failed, `${code} is a code of the network: ${message}`);
      equal(await client.user(), '');
      await heal();
      await until(async () => {
        const { code } = await client.login('alice', await ticket('alice'));
        if (networkCodes(tim, face).includes(code)) return false; // a second is short on a busy machine
        equal(code, tim.Code.OK);
        return true;
      }, 'the server is reached');
    },
  },
  {
    name: 'a login of the same user, while one is under way, joins it',
    async run({ ticket, cut, heal }, client, face) {
      await cut();
      const userSig = await ticket('alice');
      const first = client.login('alice', userSig);
      const second = client.login('alice', userSig);
      const status = await client.status();
      ok(status === 'logging in' || face.name === 'Chat', `the status is ${status}`);
      await heal();
      equal([(await first).code, (await second).code], [0, 0]);
      equal(
        client.heard.filter((event) => event === 'ready').length,
        face.name === 'V2TIM' ? 0 : 1,
      );
    },
  },
  {
    name: 'a login of the same user with another ticket replaces the one under way, and both get its answer',
    async run({ ticket, cut, heal }, client) {
      await cut();
      const first = client.login('alice', await ticket('alice', 'forged'));
      const second = client.login('alice', await ticket('alice'));
      await heal();
      equal([(await first).code, (await second).code], [0, 0]);
    },
  },
  {
    name: 'a login of another user ends the one under way',
    async run({ tim, ticket, cut, heal }, client) {
      await cut();
      const first = client.login('alice', await ticket('alice'));
      const second = client.login('bob', await ticket('bob'));
      equal((await first).code, tim.Code.LoggedOutBeforeLoginFinished);
      await heal();
      equal((await second).code, 0);
      equal(await client.user(), 'bob');
    },
  },
  {
    name: 'a login of the user who is logged in succeeds at once',
    async run({ ticket }, client, face) {
      await client.login('alice', await ticket('alice'));
      const before = client.heard.length;
      const { code, repeat } = await client.login('alice', await ticket('alice'));
      equal(code, 0);
      equal(repeat, face.name === 'V2TIM' ? undefined : true);
      await turns();
      equal(client.heard.length, before, 'events');
    },
  },
  {
    name: 'a login of the user who is logged in passes a newer ticket on, and the session outlives the first one',
    async run(world, client) {
      const { tim, endpoint, sdkAppID, ticket } = world;
      const other = new tim.TimClient({ endpoint, sdkAppID, ...patient });
      let over = false; // a ticket that ends later than the first one
      other.on('userSigExpired', () => (over = true));
      let seconds = 1;
      do {
        seconds *= 2; // again, if the machine was too busy to pass it on in time
        await client.logout();
        client.heard.length = 0;
        await logInFor(world, seconds, 'alice', (sig) => client.login('alice', sig).then(codeIn));
        equal((await client.login('alice', await ticket('alice'))).code, 0);
        over = false;
        await logInFor(world, seconds, 'bob', (sig) =>
          other.login('bob', sig).then(() => 0, codeIn),
        );
        await until(() => over, 'the first ticket is over');
        await turns();
      } while (client.heard.includes('expired') && seconds < 60);
      await other.close();
      equal([await client.user(), client.heard.includes('expired')], ['alice', false]);
    },
  },
  {
    name: 'a login of another user switches, and nothing of the old user comes after it',
    async run({ ticket, online }, client, face) {
      await client.login('alice', await ticket('alice'));
      client.heard.length = 0;
      equal((await client.login('bob', await ticket('bob'))).code, 0);
      equal(await client.user(), 'bob');
      const told = client.heard.filter((event) => event.endsWith('ready'));
      equal(told, face.name === 'V2TIM' ? [] : ['not ready', 'ready']);
      const before = client.heard.length;
      await turns();
      equal(client.heard.length, before, 'events');
      equal([(await online('alice')).length, (await online('bob')).length], [0, 1], 'online');
    },
  },
  {
    name: 'a ticket that the server has called expired is not sent again',
    async run({ tim, ticket, cut }, client, face) {
      const expired = await ticket('alice', 'expired');
      equal((await client.login('alice', expired)).code, tim.Code.TicketExpired);
      await cut();
      const want = codeOf(face, tim.Code.UserSigExpired, tim.Code.TicketExpired);
      equal((await client.login('alice', expired)).code, want);
    },
  },
  {
    name: 'a logout ends the login under way',
    options: { logoutTimeoutMs: 200 },
    async run({ tim, ticket, cut }, client) {
      await cut();
      const login = client.login('alice', await ticket('alice'));
      equal((await client.logout()).code, 0);
      equal((await login).code, tim.Code.LoggedOutBeforeLoginFinished);
      equal(await client.user(), '');
    },
  },
  {
    name: 'a logout ends the session on the server',
    async run({ ticket, online }, client) {
      await client.login('alice', await ticket('alice'));
      equal((await client.logout()).code, 0);
      equal(await client.user(), '');
      equal(await online('alice'), []);
    },
  },
  {
    name: 'a logout counts here at once, before the server has heard of it',
    options: { logoutTimeoutMs: 10_000 },
    async run({ ticket, cut, heal }, client) {
      await client.login('alice', await ticket('alice'));
      await cut();
      const outcomes: number[] = [];
      const logout = client.logout().then(({ code }) => outcomes.push(code));
      await until(async () => (await client.user()) === '', 'nobody is logged in');
      equal(outcomes, [], 'answers');
      await heal();
      await logout;
      equal(outcomes, [0], 'answers');
    },
  },
  {
    name: 'a logout does not fail for the sake of the network',
    options: { logoutTimeoutMs: 200 },
    async run({ ticket, cut }, client) {
      await client.login('alice', await ticket('alice'));
      await cut();
      equal((await client.logout()).code, 0);
      equal(await client.user(), '');
    },
  },
  {
    name: 'a logout of nobody says so',
    async run({ tim, ticket }, client, face) {
      const want = codeOf(face, tim.Code.NotLoggedIn, tim.Code.ChatNotLoggedIn);
      equal((await client.logout()).code, want);
      await client.login('alice', await ticket('alice'));
      await client.logout();
      equal((await client.logout()).code, want);
    },
  },
  {
    name: 'its end ends the login under way, and nothing is told after it',
    options: { logoutTimeoutMs: 200 },
    async run({ tim, ticket, cut }, client, face) {
      await cut();
      const login = client.login('alice', await ticket('alice'));
      await client.close();
      const { LoggedOutBeforeLoginFinished, Interrupted } = tim.Code;
      equal((await login).code, codeOf(face, Interrupted, LoggedOutBeforeLoginFinished));
      const before = client.heard.length;
      await turns();
      equal(client.heard.length, before, 'events');
    },
  },
];

const beforeInit: Story = {
  name: 'V2TIM: before initSDK every call says so',
  async run({ tim, ticket }) {
    const { v2TIMManager: manager } = tim.TencentImSDKPlugin;
    for (const call of [
      manager.login('alice', await ticket('alice')),
      manager.logout(),
      manager.getLoginUser(),
      manager.getLoginStatus(),
      manager.getServerTime(),
      manager.callExperimentalAPI('wake'),
      manager.unInitSDK(),
    ])
      equal((await call).code, tim.Code.NotInitialized);
  },
};

export const table: readonly Story[] = [beforeInit, ...throughEachFace(rows)];
