/**
 * Pictures of each view, light and dark, wide and narrow: `node dev/look.mjs FOLDER`, after the build.
 * Says what the browser complains about, and where the page is wider than the screen.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { startDevServer } from './serve.mjs';

const folder = process.argv[2] ?? 'pictures';
const SIZES = [
  { width: 1280, height: 800 },
  { width: 390, height: 844 },
];

mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
try {
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    for (const viewport of SIZES) await look(colorScheme, viewport);
  }
} finally {
  await browser.close();
}

async function look(colorScheme, viewport) {
  const server = await startDevServer();
  const page = await browser.newPage({ colorScheme, viewport });
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) {
      console.log(message.text(), message.location().url);
    }
  });
  page.on('pageerror', (error) => console.log(error));
  const take = async (name) => {
    const over = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    const file = `${name}-${colorScheme}-${viewport.width}.png`;
    if (over > 0) console.log(`${file}: ${over} pixels too wide`);
    await page.screenshot({ path: join(folder, file) });
  };
  await page.goto(server.url);
  await page.locator('.card').nth(2).waitFor();
  await page.waitForTimeout(500);
  await take('overview');
  await page.goto(`${server.url}#/timeline`);
  await page.getByRole('option').first().waitFor({ state: 'attached' });
  await take('timeline');
  await page.locator('.timeline-scroll').press('ArrowUp');
  await page.locator('.timeline-tip').waitFor();
  await take('timeline-keys');
  const calls = async (text) => {
    await page.goto(`${server.url}#/calls`);
    await page.locator('#filter').fill(text);
    await page.locator('#filter').blur();
    await page.locator('.calls-table .row-body .row').first().waitFor();
  };
  await calls('');
  await take('calls');
  await page.locator('#filter').fill('tool:search status:error cert');
  await take('completions');
  for (const [name, text] of [
    ['unknown', 'certainty:unknown tool:reindex'],
    ['again', 'attempts:>1'],
  ]) {
    await calls(text);
    await page.locator('.calls-table .row-body .row').first().click();
    await page.locator('.chain-step').first().waitFor();
    await take(`call-${name}`);
  }
  await page.locator('#filter').fill('');
  await page.goto(`${server.url}#/events`);
  await page.locator('.events-table .row-body .row').first().waitFor();
  await take('events');
  await page.goto(`${server.url}#/tools`);
  await page.locator('.items a').first().waitFor();
  await take('tools');
  await page.goto(`${server.url}#/tools/metrics/query_range`);
  await page.locator('.arguments').waitFor();
  await take('tool-form');
  await page.goto(`${server.url}#/tools/search/search`);
  await page.getByLabel('query').fill('certainty');
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.locator('.result').waitFor();
  await page.getByRole('button', { name: 'As Markdown' }).click();
  await take('tool-result');
  await page.goto(`${server.url}#/tools/files/write_file`);
  await page.getByLabel('path').fill('/srv/a');
  await page.getByLabel('text').fill('b');
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.locator('.question').waitFor();
  await take('question');
  await page.keyboard.press('Escape');
  await page.goto(`${server.url}#/resources`);
  await page.locator('.items a').first().waitFor();
  await take('resources');
  await page.goto(`${server.url}#/overview`);
  await page.keyboard.press('Control+k');
  await page.keyboard.type('run s');
  await take('palette');
  await page.keyboard.press('Escape');
  await server.close();
  await page.locator('.not-live').waitFor();
  await take('not-live');
  await page.close();
}
