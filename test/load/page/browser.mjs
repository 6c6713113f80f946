import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const PATHS = [process.env['CHROMIUM'] ?? '', '/usr/bin/chromium', '/usr/bin/chromium-browser'];
/** The views that are looked at in turn, and for how long each. */
const VIEWS = ['overview', 'timeline', 'calls', 'events'];
const VIEW_MS = 2_500;

/** The page, open in Chromium. */
export class OpenBrowser {
  #browser;
  #page;
  #devtools;
  /** @type {NodeJS.Timeout} */
  #turning;

  /**
   * @param {import('playwright-core').Browser} browser
   * @param {import('playwright-core').Page} page
   * @param {import('playwright-core').CDPSession} devtools
   */
  constructor(browser, page, devtools) {
    this.#browser = browser;
    this.#page = page;
    this.#devtools = devtools;
    let turn = 0;
    this.#turning = setInterval(() => {
      const view = VIEWS[++turn % VIEWS.length];
      page.evaluate((hash) => void (location.hash = hash), `#/${view}`).catch(() => undefined);
    }, VIEW_MS);
  }

  /** @param {string} url @throws Error if there is no Chromium here */
  static async open(url) {
    const executablePath = PATHS.find(existsSync);
    if (executablePath === undefined) throw new Error('there is no Chromium: name it in CHROMIUM');
    const args = ['--no-sandbox', '--disable-gpu'];
    const browser = await chromium.launch({ executablePath, args });
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    await page.goto(url);
    await page.evaluate(countFrames);
    return new OpenBrowser(browser, page, await page.context().newCDPSession(page));
  }

  /** How long the frames took since this was asked before, in milliseconds. @returns {Promise<number[]>} */
  frames() {
    return this.#page.evaluate(() => /** @type {any} */ (globalThis).framesMs.splice(0));
  }

  /** What the page holds, garbage aside. */
  async heapBytes() {
    await this.#devtools.send('HeapProfiler.collectGarbage');
    const { usedSize } = await this.#devtools.send('Runtime.getHeapUsage');
    return usedSize;
  }

  /** How many events the page says that there were, of all servers, and lines that were lost. */
  async events() {
    clearInterval(this.#turning);
    await this.#page.evaluate(() => void (location.hash = '#/overview'));
    const links = this.#page.locator('.card-links a', { hasText: /\bevents?$/ });
    await links.first().waitFor();
    const counts = (await links.allTextContents()).map(numberIn);
    await this.#page.evaluate(() => void (location.hash = '#/events'));
    await this.#page.locator('.list-head').waitFor();
    const lost = await this.#page.locator('.remark', { hasText: 'lost' }).allTextContents();
    return {
      events: counts.reduce((sum, count) => sum + count, 0),
      lost: numberIn(lost[0] ?? '0'),
    };
  }

  async close() {
    clearInterval(this.#turning);
    await this.#browser.close();
  }
}

/** In the page: keeps how long each frame took. */
function countFrames() {
  /** @type {number[]} */
  const framesMs = [];
  Object.assign(globalThis, { framesMs });
  let last = performance.now();
  const next = (/** @type {number} */ now) => {
    framesMs.push(now - last);
    last = now;
    requestAnimationFrame(next);
  };
  requestAnimationFrame(next);
}

/** @param {string} text such as `12,345 events` */
function numberIn(text) {
  return Number(text.replaceAll(/\D/g, ''));
}
