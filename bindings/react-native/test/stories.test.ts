// The stories of all bindings, and those of this one, in JavaScriptCore over the real module and a real server.

import { after, before, test } from 'node:test';

import { Server } from '../../node/test/server.js';
import { Host, Hosts } from './host.js';

let server: Server;
before(async () => (server = await Server.start()));
after(() => server.stop());

/** Tells the stories of a bundle that are wanted, in several hosts beside one another. */
function tell(platform: string, idiom: 'phone' | 'pad', wanted: RegExp): void {
  const concurrency = 4;
  test(`${platform}, ${idiom}`, { concurrency }, async (t) => {
    const bundle = `${process.env['APP']!}/${platform}.bundle.js`;
    const made = Array.from({ length: concurrency }, () => new Host(bundle, idiom));
    const hosts = new Hosts(server, made);
    try {
      const stories = (await hosts.stories()).filter((story) => wanted.test(story));
      await Promise.all(
        stories.map((story) => t.test(story, { timeout: 600_000 }, () => hosts.tell(story))),
      );
      await hosts.end();
    } finally {
      hosts.kill(); // those that are left would hold this process
    }
  });
}

const phones = process.env['PHONES']!.split(' ');
if (phones.includes('android-phone')) tell('android', 'phone', /./);
if (phones.includes('ios-phone')) tell('ios', 'phone', /counts as the phone|pushes out/);
if (phones.includes('ios-pad')) tell('ios', 'pad', /^V2TIM|app|network/);
