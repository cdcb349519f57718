// The bundle of an app that tells the stories of all bindings, and those of this one.

import type { Story } from '../../../js/test/world.js';
import { stories as shared } from '../../../js/test/stories/index.js';
import { onLine, send, type ToTell } from './lines.js';
import { phone } from './phone.js';
import { hostWorld, take } from './world.js';

const stories = new Map<string, Story>([...shared, ...phone].map((story) => [story.name, story]));

async function run(toTell: ToTell): Promise<void> {
  const world = hostWorld(toTell);
  try {
    await stories.get(toTell.tell)!.run(world);
  } finally {
    await world.end();
  }
}

function tell(toTell: ToTell): void {
  run(toTell).then(
    () => send({ told: toTell.tell }),
    ({ message, stack }: Error) => send({ told: toTell.tell, error: `${message}\n${stack}` }),
  );
}

onLine((line) => {
  if ('answer' in line) take(line);
  else tell(line);
});
send({ stories: [...stories.keys()] });
