// Clicks through the app, in both appearances, and looks at every screen.

import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import type { Browser } from 'playwright-core';

import { SECOND_MS } from '../../../bindings/js/test/fake/server.js';
import { type Colors, launch, patience, Phone } from './browser';

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

for (const colors of ['light', 'dark'] as const satisfies Colors[]) {
  describe(`in ${colors} colours`, { concurrency: 2 }, () => {
    const story = (name: string, tell: (phone: Phone, t: TestContext) => Promise<void>) =>
      it(name, { timeout: 4 * patience }, async (t) =>
        tell(await Phone.start(t, browser, colors), t),
      );

    story('somebody logs in, refreshes the ticket and logs out', async (phone) => {
      await phone.reads('Welcome');
      assert(await phone.page.getByRole('button', { name: 'Log in' }).isDisabled());
      await phone.look('1-login');
      await phone.logIn('alice');
      await phone.look('3-online');
      await phone.happen((stage) => void (stage.backend = 'hangs'));
      await phone.press('Refresh now');
      await phone.reads('Asking for a new one');
      await phone.look('4-refreshing');
      await phone.press('Log out');
      await phone.reads('Welcome');
      await phone.passes(SECOND_MS);
      assert.equal(await phone.page.evaluate("stage.server.online('alice').length"), 0);
    });

    story('a login can be taken back while it lasts', async (phone) => {
      await phone.happen((stage) => void (stage.backend = 'hangs'));
      await phone.fill('Name', 'alice');
      await phone.page.keyboard.press('Enter');
      await phone.reads('Hello, alice');
      await phone.look('2-logging-in');
      await phone.press('Cancel');
      await phone.reads('Welcome');
      assert.equal(await phone.page.getByLabel('Name').inputValue(), 'alice');
    });

    story(
      'another phone logs in: this one says so, and comes back when it is told to',
      async (phone) => {
        await phone.logIn('alice');
        await phone.happen((stage) => stage.logInElsewhere('alice'));
        await phone.reads('You were logged out');
        await phone.reads('logged in on an Android device (the newcomer)');
        await phone.look('5-kicked');
        await phone.press('Log in again as alice');
        await phone.reads('Online');
      },
    );

    story('an administrator logs somebody out, who then uses another account', async (phone) => {
      await phone.logIn('alice');
      await phone.happen((stage) => stage.kick('alice'));
      await phone.reads('An administrator logged you out');
      await phone.press('Use another account');
      await phone.logIn('bob');
    });

    story('a lost connection comes back by itself, and nobody is logged out', async (phone) => {
      await phone.logIn('alice');
      await phone.happen((stage) => stage.cut());
      await phone.reads('Connecting again');
      await phone.look('6-connecting-again');
      await phone.happen((stage) => stage.heal());
      await phone.reads('Online');
    });

    story('a ticket that ends is replaced by itself', async (phone) => {
      await phone.happen((stage) => void (stage.seconds = 10));
      await phone.logIn('alice');
      await phone.passes(25 * SECOND_MS);
      assert.equal(await phone.page.evaluate('stage.fetched'), 4); // one for the login, and one at 80 % of each
      await phone.reads('Online');
    });

    story(
      'a backend that is down: the ticket stays as long as it lasts, then the app says so',
      async (phone) => {
        await phone.happen((stage) => void (stage.seconds = 15));
        await phone.logIn('alice');
        await phone.happen((stage) => void (stage.backend = 'fails'));
        await phone.press('Refresh now');
        await phone.reads('There was no new one to be had');
        await phone.reads('Your ticket ended');
        await phone.look('7-expired');
        await phone.happen((stage) => void (stage.backend = 'answers'));
        await phone.press('Log in again as alice');
        await phone.reads('Online');
      },
    );

    story('a login that fails says why', async (phone) => {
      await phone.happen((stage) => void (stage.backend = 'fails'));
      await phone.fill('Name', 'alice');
      await phone.press('Log in');
      await phone.reads('We could not reach our own service');
      await phone.look('8-error');
      await phone.happen((stage) => void (stage.backend = 'answers'));
      await phone.fill('Name', 'zoë');
      await phone.press('Log in');
      await phone.reads('Accents and emoji do not work');
      await phone.logIn('alice');
    });

    story('a switch that comes to nothing leaves who is logged in as they were', async (phone) => {
      await phone.logIn('alice');
      await phone.happen((stage) => void (stage.backend = 'hangs'));
      await phone.switchTo('bob');
      await phone.reads('Hello, bob');
      await phone.press('Cancel');
      await phone.reads('Online');
      await phone.happen((stage) => void (stage.backend = 'fails'));
      await phone.switchTo('bob');
      await phone.reads('We could not reach our own service');
      await phone.reads('Online');
      assert.equal(await phone.page.evaluate("stage.server.online('alice').length"), 1);
      await phone.look('11-no-switch');
    });

    story('pushed out in the middle of a switch that fails: nobody is logged in', async (phone) => {
      await phone.logIn('alice');
      await phone.happen((stage) => void (stage.backend = 'hangs'));
      await phone.switchTo('bob');
      await phone.reads('Hello, bob');
      await phone.happen((stage) => stage.kick('alice'));
      await phone.passes(SECOND_MS);
      await phone.press('Cancel');
      await phone.reads('Welcome');
    });

    story('a small phone with large letters', async (phone) => {
      await phone.shrink();
      await phone.look('12-small-login');
      await phone.logIn('alice');
      await phone.shrink();
      await phone.look('13-small-online');
      await phone.happen((stage) => stage.logInElsewhere('alice'));
      await phone.reads('You were logged out');
      await phone.shrink();
      await phone.look('14-small-kicked');
    });

    story('switching to another account and back', async (phone) => {
      await phone.logIn('alice');
      await phone.switchTo('bob', () => phone.look('9-switch'));
      await phone.reads('bob');
      await phone.reads('Online');
      assert.equal(await phone.page.evaluate("stage.server.online('alice').length"), 0);
      await phone.press('Log in as alice');
      await phone.reads('Online');
      await phone.page.getByRole('heading', { name: 'alice', exact: true }).waitFor();
      await phone.look('10-two-accounts');
    });
  });
}
