// The stories over the fake engine, and with a clock of their own: a millisecond of it is a turn of the event loop, so nothing
// here depends on how busy the machine is.

import { after, mock, test } from 'node:test';

mock.timers.enable({ apis: ['setTimeout', 'Date'], now: Date.now() });
let running = true;
after(() => (running = false));
function run(): void {
  mock.timers.tick(1);
  if (running) setImmediate(run);
}
run();

const tim = await import('./under-test.js'); // from here on, because they keep the clock that they find
const { fakeWorld } = await import('./fake/world.js');
const { stories } = await import('./stories/index.js');

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
