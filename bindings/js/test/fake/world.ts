import { type Platform } from '../../src/index.js';
import type { Tim, World } from '../world.js';
import { FakeServer, type Session } from './server.js';

let made = 0;

/** A world in memory, over the fake engine. */
export function fakeWorld(tim: Tim): World & { readonly server: FakeServer } {
  const endpoint = `ws://127.0.0.1:${++made}`;
  const server = new FakeServer(endpoint);
  return {
    tim,
    endpoint,
    server,
    sdkAppID: 1400000000 + made,
    ticket: async (userID, kind = 'good') =>
      typeof kind === 'string'
        ? server.ticket(userID, kind)
        : server.ticket(userID, 'good', kind.seconds),
    kick: async (userID) => server.kick(userID),
    signInElsewhere: async (userID, platform) => {
      const { code } = server.admit(elsewhere(platform), userID, server.ticket(userID, 'good'));
      if (code !== 0) throw new Error(`the other device was refused: ${code}`);
    },
    online: async (userID) => server.online(userID),
    cut: async () => server.cut(),
    heal: async () => void (server.reachable = true),
    end: async () => void FakeServer.all.delete(endpoint),
  };
}

function elsewhere(platform: Platform): Session {
  return { platform, kicked() {}, disconnected() {} };
}
