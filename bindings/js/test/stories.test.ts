// The stories over the fake engine.

import { test } from 'node:test';
import * as tim from './under-test.js';
import { fakeWorld } from './fake/world.js';
import { stories } from './stories/index.js';

for (const story of stories) {
  test(story.name, async () => {
    const world = fakeWorld(tim);
    try {
      await story.run(world);
    } finally {
      await world.end();
    }
  });
}
