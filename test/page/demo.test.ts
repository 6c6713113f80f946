import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { removeFolder } from '../support/remove-folder.ts';
import { until } from '../support/until.ts';
import { describeInChromium, goTo, openScreen, startDash } from './chromium.ts';

let cwd: string;
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'longwire-page-'));
});
afterEach(() => removeFolder(cwd));

const card = (page: Page, server: string) =>
  page.getByRole('article', { name: `Server ${server}`, exact: true });

/** A figure of a card, as it is written there. */
const figure = (page: Page, server: string, title: string) =>
  card(page, server).locator('.figures div', { hasText: title }).locator('dd');

const inFlight = (page: Page, tool: string) => page.locator('.in-flight li', { hasText: tool });

async function startRun(page: Page, server: string, tool: string): Promise<void> {
  await goTo(page, 'tools', server, tool);
  await page.getByRole('button', { name: 'Run', exact: true }).click();
}

/** What the timeline tells whoever goes through it by keys, from its end back to what is looked for. */
async function walkTimeline(page: Page, wanted: readonly RegExp[]): Promise<void> {
  await goTo(page, 'timeline');
  const lanes = page.getByRole('listbox', { name: /in the order of time/ });
  await lanes.getByRole('option').first().waitFor({ state: 'attached' });
  await lanes.focus();
  const told: string[] = [];
  const isMissing = (): boolean =>
    !wanted.every((pattern) => told.some((text) => pattern.test(text)));
  for (let step = 0; step < 60 && isMissing(); step++) {
    await page.keyboard.press('ArrowUp');
    const text = (await page.locator('#timeline-active').textContent()) ?? '';
    if (text === told.at(-1)) break;
    told.push(text);
  }
  for (const pattern of wanted) expect(told).toContainEqual(expect.stringMatching(pattern));
}

describeInChromium('longwire dash --demo', () => {
  expectNothingLeftOpen();

  it('shows three servers, and what they say as they say it', async () => {
    await using dash = await startDash(['--demo']);
    await using screen = await openScreen(dash.url);
    const { page } = screen;
    await page.getByText('● live').waitFor();
    for (const server of ['metrics', 'logs', 'alerts']) {
      await card(page, server).getByText('ready').waitFor();
      await expect(card(page, server).textContent()).resolves.toContain('sse');
    }
    await goTo(page, 'events');
    for (const server of ['metrics', 'logs', 'alerts']) {
      await page.locator('.events-table .at-server', { hasText: server }).first().waitFor();
    }
    const rows = page.locator('.events-table .row-body .row');
    const newest = await rows.first().getAttribute('aria-rowindex');
    const said = await rows.first().textContent();
    await until(async () => (await rows.first().textContent()) !== said);
    expect(await rows.first().getAttribute('aria-rowindex')).toBe(newest);
    await page.getByRole('button', { name: 'Pause' }).click();
    const held = await rows.first().textContent();
    await page.getByRole('button', { name: /Show \d+ newer event/ }).waitFor();
    expect(await rows.first().textContent()).toBe(held);
    await page.getByRole('button', { name: 'Catch up' }).click();
    await until(async () => (await rows.first().textContent()) !== held);
  });

  it('runs a tool from its form with its progress, and cancels a call', async () => {
    await using dash = await startDash(['--demo']);
    await using screen = await openScreen(dash.url);
    const { page } = screen;
    await card(page, 'metrics').getByText('ready').waitFor();
    await goTo(page, 'tools', 'metrics', 'collect_profile');
    await page.getByLabel('seconds').fill('2');
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    const run = page.getByRole('region', { name: 'Run' });
    await run.getByRole('progressbar').waitFor();
    await run.getByText(/of 2 s/).waitFor();
    await run.getByText('parse 41 %').waitFor();
    await run.getByRole('status').getByText('result').waitFor();

    // What does not fit its schema is not sent.
    await page.getByLabel('seconds').fill('400');
    await page.getByRole('button', { name: 'Run again' }).click();
    await page.getByRole('alert').first().waitFor();

    await page.getByLabel('seconds').fill('200');
    await page.getByRole('button', { name: 'Run again' }).click();
    await goTo(page, 'calls');
    await inFlight(page, 'collect_profile')
      .getByText(/of 200 s/)
      .waitFor();
    await inFlight(page, 'collect_profile').getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('Nothing in flight').waitFor();
    await page.locator('.calls-table .row', { hasText: 'outcome-unknown' }).click();
    await page.getByText('It was cancelled here.').waitFor();
  });

  it('asks before it runs what may change things', async () => {
    await using dash = await startDash(['--demo']);
    await using screen = await openScreen(dash.url);
    const { page } = screen;
    await card(page, 'logs').getByText('ready').waitFor();
    await goTo(page, 'tools', 'logs', 'delete_logs');
    await page.getByLabel('olderThanDays').fill('30');
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByRole('button', { name: 'Do not run it' }).click();
    await goTo(page, 'overview');
    await card(page, 'logs')
      .getByRole('link', { name: /^\d+ calls?$/ })
      .waitFor();
    await goTo(page, 'tools', 'logs', 'delete_logs');
    await page.getByLabel('olderThanDays').fill('30');
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByRole('button', { name: 'Run it', exact: true }).click();
    await page.getByText('Deleted what was older than 30 days.').waitFor();
    // Once: what was not agreed to was not called.
    await goTo(page, 'calls');
    await page.locator('.calls-table .row', { hasText: 'delete_logs' }).first().waitFor();
    expect(await page.locator('.calls-table .row', { hasText: 'delete_logs' }).count()).toBe(1);
  });

  it('says what becomes of each call when a server is killed and comes back, also later', async () => {
    await using dash = await startDash(['--demo', '--record', 'r.ndjson'], { cwd });
    await using screen = await openScreen(dash.url);
    const { page } = screen;
    await card(page, 'metrics').getByText('ready').waitFor();
    expect(await figure(page, 'metrics', 'Reconnects').textContent()).toBe('0');
    await goTo(page, 'tools', 'metrics', 'collect_profile');
    await page.getByLabel('seconds').fill('4');
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByRole('progressbar').first().waitFor();

    await startRun(page, 'metrics', 'restart_server');
    await page.getByRole('button', { name: 'Run it', exact: true }).click();
    await goTo(page, 'overview');
    await card(page, 'metrics').getByText('reconnecting').waitFor();
    await card(page, 'metrics').getByText('ready').waitFor();
    expect(await figure(page, 'metrics', 'Reconnects').textContent()).toBe('1');
    await card(page, 'metrics').getByText('outcome-unknown').waitFor();

    const checkCalls = async (shown: Page): Promise<void> => {
      await goTo(shown, 'calls');
      const row = (tool: string) => shown.locator('.calls-table .row', { hasText: tool });
      await row('restart_server').click();
      const chain = shown.getByRole('list', { name: 'What happened' });
      await chain.getByText('Connection lost').waitFor();
      await chain.getByText('Not sent again: outcome-unknown').waitFor();
      await row('collect_profile').click();
      await chain.getByText('Sent again, attempt 2').waitFor();
      await chain.getByText('Its tool only reads (readOnlyHint).').waitFor();
      await chain.getByText('It ran, and this is its result.').waitFor();
      await walkTimeline(shown, [
        /^restart_server, metrics, .*outcome-unknown/,
        /^reconnecting, metrics, .*connection-lost/,
        /^collect_profile, metrics, result, .*sent 2 times/,
      ]);
      await shown.keyboard.press('Enter');
      await shown.getByRole('complementary').waitFor();
    };
    await goTo(page, 'calls');
    await page.getByText('Nothing in flight').waitFor();
    await checkCalls(page);
    await dash.interrupt();
    await page.getByText('Not live.').waitFor();

    await using again = await startDash(['--replay', 'r.ndjson'], { cwd });
    await using replayed = await openScreen(again.url);
    await replayed.page.getByText('▶ replay').waitFor();
    const slider = replayed.page.getByRole('slider', { name: 'Time of the replay' });
    await replayed.page.getByRole('button', { name: 'Pause' }).click();
    await replayed.page.getByRole('button', { name: 'Play' }).waitFor();
    await slider.press('Home');
    await replayed.page.getByText(/ · 0 ms of /).waitFor();
    await card(replayed.page, 'metrics').getByText('none').waitFor();
    await slider.press('End');
    await card(replayed.page, 'metrics').getByText('outcome-unknown').waitFor();
    expect(await figure(replayed.page, 'metrics', 'Reconnects').textContent()).toBe('1');
    await checkCalls(replayed.page);
    await goTo(replayed.page, 'tools', 'metrics', 'collect_profile');
    await replayed.page.getByText('A recording is shown: nothing can be called.').waitFor();
  });

  it('has a call again that runs while the page is loaded anew', async () => {
    await using dash = await startDash(['--demo']);
    await using screen = await openScreen(dash.url);
    const { page } = screen;
    await card(page, 'metrics').getByText('ready').waitFor();
    await goTo(page, 'tools', 'metrics', 'collect_profile');
    await page.getByLabel('seconds').fill('60');
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByRole('progressbar').waitFor();
    await goTo(page, 'calls');
    await page.reload();
    await inFlight(page, 'collect_profile')
      .getByText(/of 60 s/)
      .waitFor();
    await inFlight(page, 'collect_profile').getByRole('link').click();
    await page.getByRole('complementary').getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('It was cancelled here.').waitFor();
  });
});
