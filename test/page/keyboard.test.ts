import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { describeInChromium, goTo, openScreen, startDash } from './chromium.ts';

/** What has the focus, by its role's name or its text. */
const focused = (page: Page): Promise<unknown> =>
  page.evaluate(
    `(document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? '').trim()`,
  );

describeInChromium('without a mouse', () => {
  it('a tool is found, run, and its call opened and closed', async () => {
    await using dash = await startDash(['--demo']);
    await using screen = await openScreen(dash.url);
    const { page } = screen;
    const { keyboard } = page;
    await page.getByRole('article', { name: 'Server metrics' }).getByText('ready').waitFor();
    await keyboard.press('Control+k');
    await page.getByRole('dialog', { name: 'Commands' }).waitFor();
    await keyboard.type('run query_metric');
    await keyboard.press('Enter');
    await page.getByRole('complementary', { name: 'Query a metric' }).waitFor();
    expect(await focused(page)).toBe('Query a metric');
    await keyboard.press('Tab');
    expect(await focused(page)).toBe('Close');
    await keyboard.press('Tab');
    // The choice of the metric.
    await keyboard.press('ArrowDown');
    await keyboard.press('Tab');
    await keyboard.press('Enter');
    await page.getByRole('region', { name: 'Run' }).locator('.result').waitFor();

    await keyboard.press('Escape');
    await page.getByRole('complementary').waitFor({ state: 'detached' });
    await goTo(page, 'calls');
    const table = page.getByRole('grid', { name: 'Calls that ended, the newest first' });
    await table.focus();
    await keyboard.press('ArrowDown');
    await keyboard.press('Enter');
    await page.getByRole('complementary').getByText('What happened').waitFor();
    await keyboard.press('Escape');
    await page.getByRole('complementary').waitFor({ state: 'detached' });
    expect(await focused(page)).toContain('Calls that ended');
  });

  it('a table goes by rows and pages, to its end and back, and holds still meanwhile', async () => {
    await using dash = await startDash(['--demo']);
    await using screen = await openScreen(dash.url);
    const { page } = screen;
    await goTo(page, 'events');
    await page.locator('.events-table .row-body .row').nth(25).waitFor({ timeout: 60_000 });
    const table = page.getByRole('grid', { name: 'Events, the newest first' });
    await table.focus();
    const active = table.locator('.row-active');
    const row = async (): Promise<number> => Number(await active.getAttribute('aria-rowindex')) - 2;
    for (const [key, expected] of [
      ['ArrowDown', 0],
      ['ArrowDown', 1],
      ['ArrowDown', 2],
      ['ArrowUp', 1],
      ['Home', 0],
    ] as const) {
      await page.keyboard.press(key);
      await active.waitFor();
      expect([key, await row()]).toEqual([key, expected]);
    }
    await page.keyboard.press('PageDown');
    expect(await row()).toBeGreaterThan(5);
    const held = await active.textContent();
    // More events come, and the row stays where it is.
    await page.getByRole('button', { name: /Show \d+ newer events/ }).waitFor();
    expect(await active.textContent()).toBe(held);
    await page.keyboard.press('End');
    expect(await row()).toBe(Number(await table.getAttribute('aria-rowcount')) - 2);
    expect(await table.getAttribute('aria-activedescendant')).toBe(await active.getAttribute('id'));
  });

  it('the filter is completed and cleared, and a question is answered with no', async () => {
    await using dash = await startDash(['--demo']);
    await using screen = await openScreen(dash.url);
    const { page } = screen;
    const { keyboard } = page;
    await page.getByRole('article', { name: 'Server logs' }).getByText('ready').waitFor();
    await keyboard.press('/');
    await keyboard.type('serv');
    await keyboard.press('ArrowDown');
    await keyboard.press('Enter');
    await keyboard.type('lo');
    await keyboard.press('ArrowDown');
    await keyboard.press('Tab');
    const filter = page.getByRole('combobox', { name: 'Filter of all views' });
    expect(await filter.inputValue()).toBe('server:logs ');
    await goTo(page, 'tools');
    await page.getByRole('heading', { name: '2 tools' }).waitFor();
    // What is offered closes first.
    await keyboard.press('Escape');
    await page.getByRole('option').waitFor({ state: 'hidden' });
    expect(await filter.inputValue()).toBe('server:logs ');
    await keyboard.press('Escape');
    expect(await filter.inputValue()).toBe('');

    await goTo(page, 'tools', 'logs', 'delete_logs');
    await page.getByLabel('olderThanDays').fill('3');
    await keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    expect(await focused(page)).toBe('Do not run it');
    await keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await goTo(page, 'calls');
    expect(await page.locator('.calls-table .row', { hasText: 'delete_logs' }).count()).toBe(0);
  });
});
