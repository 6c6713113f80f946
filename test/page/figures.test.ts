import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { until } from '../support/until.ts';
import {
  describeInChromium,
  goTo,
  openScreen,
  startDash,
  type Dash,
  type Screen,
} from './chromium.ts';

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

const outcome = (page: Page) =>
  page.getByRole('region', { name: 'Run' }).getByRole('status').getByText('result');

describeInChromium('what the page counts and plots', () => {
  expectNothingLeftOpen();
  let dash: Dash;
  let screen: Screen;
  let page: Page;
  beforeEach(async () => {
    dash = await startDash(['--demo']);
    screen = await openScreen(dash.url);
    page = screen.page;
    await page.locator('.card', { hasText: 'ready' }).nth(2).waitFor();
  });
  afterEach(async () => {
    await screen[Symbol.asyncDispose]();
    await dash[Symbol.asyncDispose]();
  });

  it('opens the calls of a server by a click on its card', async () => {
    await page.locator('.card', { hasText: 'alerts' }).locator('.figures').click();
    await page.locator('main.view-calls').waitFor();
    expect(await page.locator('#filter').inputValue()).toBe('server:alerts');
    await goTo(page, 'overview');
    await expect(page.locator('.card').count()).resolves.toBe(1);
    await page.locator('.card-link').press('Enter');
    await page.locator('main.view-calls').waitFor();
  });

  it('shows how long calls took, and filters by what is chosen', async () => {
    await goTo(page, 'tools', 'metrics', 'collect_profile');
    await page.getByLabel('seconds').fill('0.4');
    await button(page, 'Run').click();
    await outcome(page).waitFor();
    await goTo(page, 'calls');
    await button(page, 'Latency').click();
    const tool = page.getByRole('row', { name: /^collect_profile metrics 1 / });
    await tool.getByRole('button').press('Enter');
    await page.locator('.bar').first().press('Enter');
    expect(await page.locator('#filter').inputValue()).toMatch(
      /^tool:collect_profile duration:>\d+ms duration:<=\d+m?s$/,
    );
    await page.getByRole('heading', { name: '1 call ended' }).waitFor();
    await page.getByLabel(/: 1 call$/).waitFor();
    // Chosen once more, it is chosen no longer.
    await page.locator('.bar').first().press('Enter');
    await tool.getByRole('button').press('Enter');
    expect(await page.locator('#filter').inputValue()).toBe('');
  });

  it('plots numbers in events by name, and stands still with the list', async () => {
    await goTo(page, 'events');
    await button(page, 'Plots').click();
    const name = page.getByLabel('Plot a number');
    await page.locator('datalist option[value="requestsPerSecond"]').waitFor({ state: 'attached' });
    await name.fill('requestsPerSecond');
    expect(await name.inputValue()).toBe('');
    const plot = page.getByRole('figure', { name: 'requestsPerSecond over time' });
    await plot.locator('canvas').waitFor();
    const row = plot.getByRole('row', { name: /^metrics / });
    const values = async (): Promise<number> =>
      Number(await row.locator('td').last().textContent());
    const first = await values();
    await until(async () => (await values()) > first);

    await button(page, 'Pause').click();
    await page.getByRole('button', { name: /^Show \d+ newer event/ }).waitFor();
    const held = await values();
    await page.getByRole('button', { name: /^Show \d\d+ newer events/ }).waitFor();
    expect(await values()).toBe(held);
    await button(page, 'Catch up').click();
    await until(async () => (await values()) > held);

    await plot.getByRole('button', { name: /^Remove/ }).click();
    await plot.waitFor({ state: 'detached' });
  });

  it('tells in every page which resources are subscribed to, and that they changed', async () => {
    await using other = await openScreen(dash.url);
    const resource = ['resources', 'alerts', 'resources', 'alerts://open'];
    await goTo(page, ...resource);
    await goTo(other.page, ...resource);
    await other.page.getByText('○ not subscribed').waitFor();
    await button(page, 'Read').click();
    await outcome(page).waitFor();
    await button(page, 'Subscribe').click();
    await other.page.getByText(/● subscribed, \d+ updates?, the latest at/).waitFor();
    await page.getByText('It has changed since it was read.').waitFor();
    await button(page, 'Read it again').click();
    await page.getByText('It has changed since it was read.').waitFor({ state: 'detached' });
    await button(other.page, 'Unsubscribe').click();
    await page.getByText('○ not subscribed').waitFor();
  });

  it('compares a recording with what is shown, whatever its names are', async () => {
    const hostile = '<img src=x onerror=alert(1)>';
    const lines = [
      { type: 'recording', version: 1, at: 1, by: 'test' },
      {
        type: 'catalogue',
        at: 1,
        server: 'metrics',
        kind: 'tools',
        items: [
          { name: 'query_metric', description: `Once.\n${hostile}\n${'long '.repeat(100_000)}` },
          { name: hostile },
        ],
      },
      { type: 'state', at: 2, server: hostile, state: 'ready' },
    ];
    await goTo(page, 'compare');
    const before = page.getByRole('region', { name: 'Before' });
    const file = (text: string) => ({
      name: `${hostile}.ndjson`,
      mimeType: 'application/x-ndjson',
      buffer: Buffer.from(text),
    });
    await before.locator('input').setInputFiles(file('# Notes'));
    await before.getByText('not a recording: its first line is no header').waitFor();
    await before
      .locator('input')
      .setInputFiles(file(lines.map((line) => JSON.stringify(line)).join('\n')));
    await page
      .getByText(/2 servers gained, 1 server lost, \d+ items gained, 1 item lost/)
      .waitFor();
    const changed = page.locator('.change', { hasText: 'query_metric' });
    await changed.locator('summary', { hasText: 'description' }).click();
    await changed.locator('.diff-removed', { hasText: hostile }).waitFor();
    await button(page, '⇄ Swap before and after').click();
    await page.getByText(/1 server gained, 2 servers lost, 1 item gained/).waitFor();
    // By keyboard: the button that is seen belongs to the input.
    await page.getByRole('region', { name: 'After' }).locator('input').focus();
    await page.locator('#filter').fill('server:metrics tool:query_metric');
    await page.getByText(/^1 item changed\.$/).waitFor();
  });
});
