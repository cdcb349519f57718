// A phone in a real browser, with the app on it. Its clock stands still but for what a test lets pass.

import { readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';

import type { Stage } from './page';

declare const stage: Stage;

/** How long anything may take, in ms: only what hangs takes so long. */
export const patience = 300_000;

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
    page.setDefaultTimeout(patience);
    page.on('pageerror', (error) => t.diagnostic(`the page threw: ${error.stack}`));
    await page.clock.install({ time: new Date('2026-01-01') });
    await page.clock.pauseAt(new Date('2026-01-05T09:41'));
    await page.setContent(html);
    return new Phone(page, colors);
  }

  /** Lets time pass until something is read on the screen, ten seconds at most. */
  async reads(text: string): Promise<void> {
    const found = this.page.getByText(text).first();
    for (let passed = 0; !(await found.isVisible()); passed += 20) {
      if (passed > 10_000) throw new Error(`nobody reads: ${text}`);
      await this.passes(20);
    }
  }

  async passes(ms: number): Promise<void> {
    await this.page.clock.runFor(ms);
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

  /** Asks for another account, looks at what was filled in, and goes. */
  async switchTo(name: string, look = async () => {}): Promise<void> {
    await this.press('Use another account');
    await this.fill('Name', name);
    await look();
    await this.press('Switch');
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
    const axeRuns: Promise<string[]> = this.page.evaluate(`
      axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'] }).then(({ violations }) =>
        violations.flatMap((v) => v.nodes.map((n) => v.id + ': ' + n.failureSummary + ' ' + n.html)))`);
    await this.passes(10); // axe waits for timers, too
    const found = await axeRuns;
    const cut: string[] = await this.page
      .evaluate(`[...document.querySelectorAll('[dir=auto], input')]
      .filter((e) => e.getBoundingClientRect().right > innerWidth || e.scrollWidth > e.clientWidth + 1)
      .map((e) => 'does not fit: ' + e.outerHTML)`);
    found.push(...cut);
    if (found.length > 0) throw new Error(`${name} ${this.colors}:\n${found.join('\n')}`);
  }

  /** Makes it the smallest phone there is, with letters of twice their size, as its settings can. */
  async shrink(): Promise<void> {
    await this.page.setViewportSize({ width: 320, height: 568 });
    await this.page.evaluate(`for (const e of document.querySelectorAll('[dir=auto], input')) {
      const { fontSize, lineHeight } = getComputedStyle(e);
      e.style.fontSize = 2 * parseFloat(fontSize) + 'px';
      e.style.lineHeight = 2 * parseFloat(lineHeight) + 'px';
    }`);
  }
}

export function launch(): Promise<Browser> {
  const executablePath = '/usr/bin/chromium';
  return chromium.launch({ executablePath, args: ['--no-sandbox'], timeout: patience });
}
