// A phone of 390 by 844 in a real browser, with the app on it.

import { readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';

import type { Stage } from './page';

declare const stage: Stage;

const OUT = process.env['OUT']!;
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const html = `<!doctype html><html lang="en"><head><title>tim</title>
<meta name="viewport" content="width=device-width">
<style>html,body,#root{height:100%;margin:0}#root{display:flex}</style></head>
<body><div id="root"></div><script>${readFileSync(`${OUT}/page.js`, 'utf8').replaceAll('</script', '<\\/script')}</script></body></html>`;

export type Colors = 'light' | 'dark';

export class Phone {
  private constructor(
    readonly page: Page,
    private readonly colors: Colors,
  ) {}

  static async start(t: TestContext, browser: Browser, colors: Colors): Promise<Phone> {
    const context = await browser.newContext({
      viewport: { width: 390, height: 844 },
      deviceScaleFactor: 2,
      colorScheme: colors,
      reducedMotion: 'reduce',
    });
    t.after(() => context.close());
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    page.on('pageerror', (error) => t.diagnostic(`the page threw: ${error.stack}`));
    await page.setContent(html);
    return new Phone(page, colors);
  }

  /** Waits until something is read on the screen. */
  async reads(text: string): Promise<void> {
    await this.page.getByText(text).first().waitFor();
  }

  async press(name: string): Promise<void> {
    await this.page.getByRole('button', { name, exact: true }).click();
  }

  async fill(label: string, text: string): Promise<void> {
    await this.page.getByLabel(label).fill(text);
  }

  async logIn(name: string): Promise<void> {
    await this.fill('Name', name);
    await this.press('Log in');
    await this.reads('Online');
  }

  /** Makes something happen in the world around the app. */
  async happen(change: (on: Stage) => void): Promise<void> {
    await this.page.evaluate(`(${change})(stage)`);
  }

  /** Takes a picture, and has axe look for what people with weak eyes, a keyboard or a screen reader stumble over. */
  async look(name: string): Promise<void> {
    await this.page.screenshot({
      path: `${OUT}/${name}-${this.colors}.png`,
      animations: 'disabled',
    });
    await this.page.evaluate(axe);
    const found: string[] = await this.page.evaluate(`
      axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'] }).then(({ violations }) =>
        violations.flatMap((v) => v.nodes.map((n) => v.id + ': ' + n.failureSummary + ' ' + n.html)))`);
    if (found.length > 0) throw new Error(`${name} ${this.colors}:\n${found.join('\n')}`);
  }
}

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
}
