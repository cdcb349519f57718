import { after, before, test } from 'node:test';

import type { Story } from '../../js/test/world.js';
import { Server } from './server.js';
import { realWorld } from './world.js';

/** Runs stories, one after the other, over the addon and a real server. */
export function tell(stories: readonly Story[]): void {
  let server: Server;
  before(async () => (server = await Server.start()));
  after(() => server.stop());
  for (const story of stories) {
    test(story.name, { timeout: 600_000 }, async () => {
      const world = await realWorld(server.app());
      try {
        await story.run(world);
      } finally {
        await world.end();
      }
    });
  }
}
