/**
 * Makes the pictures of the page that the documentation shows, `docs/images/page-VIEW-THEME-WIDTH.webp`: each view
 * over the same made-up servers, whose time stands still, so that a picture changes only where the page did. Needs
 * Chromium, which `CHROMIUM` names. With `--png FOLDER` it writes PNGs there instead, to look at.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { formerRecording } from '../packages/dashboard/dev/former-recording.mjs';
import { startDevServer } from '../packages/dashboard/dev/serve.mjs';

/** A Monday morning. */
const STANDS_AT = Date.UTC(2026, 8, 21, 9, 30);
const THEMES = /** @type {const} */ (['light', 'dark']);
const SIZES = [
  { width: 1440, height: 900 },
  { width: 400, height: 800 },
];
const QUALITY = 0.75;

const { values } = parseArgs({ options: { png: { type: 'string' } } });
const folder = values.png ?? fileURLToPath(new URL('../docs/images/', import.meta.url));
mkdirSync(folder, { recursive: true });
if (values.png === undefined) {
  for (const name of readdirSync(folder))
    if (/^page-.*\.webp$/.test(name)) rmSync(join(folder, name));
}

const DAY_MS = 86_400_000;

/** What a view needs, to show something. */
const PREPARED = {
  compare: async (page) => {
    const [name, mimeType] = ['sunday.ndjson', 'application/x-ndjson'];
    const buffer = Buffer.from(formerRecording(STANDS_AT - DAY_MS));
    await page
      .getByLabel('Choose a recording for “Before”')
      .setInputFiles({ name, mimeType, buffer });
    await page.locator('.compare-summary').waitFor();
  },
};

/** What is opened in a view where there is room for it beside the list. */
const OPENED = {
  timeline: openCall('timeline'),
  calls: openCall('calls'),
  events: async (page) => {
    await page.getByRole('button', { name: 'Plots', exact: true }).click();
    await page.locator('.number-plot').first().waitFor();
  },
  tools: async (page) => {
    await page.evaluate("location.hash = '#/tools/metrics/query_range'");
  },
  resources: async (page) => {
    await page.evaluate("location.hash = '#/resources/search/prompts/summarize'");
  },
};

/** A call that was sent again after its connection was lost. */
function openCall(view) {
  return async (page) => {
    await page.evaluate("location.hash = '#/calls'");
    await page.locator('#filter').fill('attempts:>1');
    await page.locator('.calls-table .row-body .row').first().click();
    await page.locator('.chain-step').first().waitFor();
    const call = await page.evaluate("location.hash.split('/').at(-1)");
    await page.locator('#filter').fill(view === 'calls' ? 'server:search duration:>300ms' : '');
    await page.locator('#filter').blur();
    await page.evaluate(`location.hash = '#/${view}/${call}'`);
  };
}

const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  // Always the same edges of what is round.
  args: ['--no-sandbox', '--disable-gpu', '--disable-partial-raster'],
});
const server = await startDevServer({ standsAt: STANDS_AT });
try {
  for (const theme of THEMES) for (const viewport of SIZES) await take(theme, viewport);
} finally {
  await browser.close();
  await server.close();
}

async function take(theme, viewport) {
  const context = await browser.newContext({
    colorScheme: theme,
    viewport,
    locale: 'en-US',
    timezoneId: 'UTC',
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  await page.clock.setFixedTime(STANDS_AT);
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) console.log(message.text());
  });
  page.on('pageerror', (error) => console.log(error));
  await page.goto(server.url);
  await page.locator('.card').nth(2).waitFor();
  const views = await page
    .locator('.views a')
    .evaluateAll((links) => links.map(({ hash }) => hash.slice(2)));
  for (const view of views) {
    await page.evaluate(`location.hash = '#/${view}'`);
    await page.locator(`main.view-${view}`).waitFor();
    await page.locator('#filter').fill('');
    await PREPARED[view]?.(page);
    if (viewport.width > 1000) await OPENED[view]?.(page);
    await page.locator(`main.view-${view}`).waitFor();
    // What is drawn with the next frames, and nothing that has the focus by chance.
    await page.evaluate('document.activeElement?.blur()');
    await page.mouse.move(2, 2);
    await page.waitForTimeout(500);
    const name = `page-${view}-${theme}-${viewport.width}`;
    const png = await page.screenshot({ type: 'png' });
    if (values.png === undefined) writeFileSync(join(folder, `${name}.webp`), await webpOf(png));
    else writeFileSync(join(folder, `${name}.png`), png);
  }
  await context.close();
}

/** The picture as WebP, which the browser can write and Playwright does not ask it for. */
async function webpOf(png) {
  const page = await browser.newPage();
  const data = await page.evaluate(`(async () => {
    const image = new Image();
    image.src = 'data:image/png;base64,${png.toString('base64')}';
    await image.decode();
    const canvas = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height });
    canvas.getContext('2d').drawImage(image, 0, 0);
    return canvas.toDataURL('image/webp', ${QUALITY}).split(',')[1];
  })()`);
  await page.close();
  return Buffer.from(/** @type {string} */ (data), 'base64');
}
