import * as tim from '@opentim/node';

import { patient, type World } from '../../js/test/world.js';
import { Proxy } from './proxy.js';
import type { App } from './server.js';

const platforms: Record<string, tim.Platform> = {
  iPhone: tim.Platform.IOS,
  iPad: tim.Platform.IPad,
  Android: tim.Platform.Android,
  PC: tim.Platform.Windows,
  Mac: tim.Platform.Mac,
  Linux: tim.Platform.Linux,
  Web: tim.Platform.Web,
};

/** The world of a story: an app of a real server, behind a network that can be cut. */
export async function realWorld(app: App): Promise<World> {
  const proxy = new Proxy(new URL(app.endpoint));
  await proxy.heal();
  const elsewhere: tim.TimClient[] = [];
  return {
    tim,
    endpoint: proxy.endpoint,
    sdkAppID: app.id,
    async ticket(userID, kind = 'good') {
      if (kind === 'good') return app.ticket(userID);
      if (kind === 'expired') return app.expiredTicket(userID);
      if (kind === 'forged') return app.forgedTicket(userID);
      return app.ticket(userID, kind.seconds);
    },
    async kick(UserID) {
      const { ErrorCode, ErrorInfo } = await app.rest('im_open_login_svc/kick', { UserID });
      if (ErrorCode !== 0) throw new Error(`the kick failed: ${ErrorInfo}`);
    },
    async signInElsewhere(userID, platform) {
      const { endpoint, id: sdkAppID } = app;
      const client = new tim.TimClient({ endpoint, sdkAppID, platform, ...patient });
      elsewhere.push(client);
      await client.login(userID, app.ticket(userID));
    },
    async online(userID) {
      const answer = await app.rest('openim/query_online_status', {
        To_Account: [userID],
        IsNeedDetail: 1,
      });
      const detail: { Platform: string; Status: string }[] = answer.QueryResult?.[0]?.Detail ?? [];
      return detail
        .filter(({ Status }) => Status === 'Online')
        .map(({ Platform }) => platforms[Platform]!);
    },
    cut: () => proxy.cut(),
    heal: () => proxy.heal(),
    async end() {
      await Promise.all(elsewhere.map((client) => client.close()));
      await proxy.cut();
    },
  };
}
