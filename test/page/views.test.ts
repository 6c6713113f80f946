import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { VIEW_TITLES, VIEWS } from '../../packages/dashboard/src/state/route.ts';
import { describeInChromium, goTo, openScreen, startDash } from './chromium.ts';
import { violationsOf } from './violations.ts';

/** What is wider than the screen. */
async function tooWide(page: Page, where: string): Promise<string[]> {
  const found = await page.evaluate(`(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    const overs = [...document.querySelectorAll('main *')].filter((one) => {
      const { right, width, height } = one.getBoundingClientRect();
      return width > 0 && height > 0 && right > clientWidth + 1 && !isScrolled(one);
    });
    function isScrolled(one) {
      for (let at = one.parentElement; at !== null && at.id !== 'page'; at = at.parentElement) {
        if (/auto|scroll|hidden|clip/.test(getComputedStyle(at).overflowX) && at.id !== 'main') return true;
      }
      return false;
    }
    return [
      ...(scrollWidth > clientWidth ? ['the page: ' + scrollWidth] : []),
      ...overs.slice(0, 3).map((one) => one.outerHTML.slice(0, 200)),
    ];
  })()`);
  return (found as string[]).map((one) => `${where} is too wide: ${one}`);
}

/** Calls of each kind, so that no view is empty. */
async function fill(page: Page): Promise<void> {
  await page.getByRole('article', { name: 'Server metrics' }).getByText('ready').waitFor();
  const call = (server: string, name: string, args: object): Promise<unknown> =>
    page.evaluate(`fetch('/api/call', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-longwire-page': '1' },
      body: ${JSON.stringify(JSON.stringify({ server, method: 'tools/call', name, arguments: args, confirmed: true }))},
    }).then((answer) => answer.json())`);
  await call('metrics', 'query_metric', { metric: 'cpu', minutes: 1 });
  await call('alerts', 'run_check', { host: 'db.internal' });
  await call('metrics', 'collect_profile', { seconds: 60 });
  await call('metrics', 'restart_server', { awaySeconds: 0 });
  await call('logs', 'search_logs', { text: 'queue', last: { days: 30 } });
  await goTo(page, 'calls');
  await page.locator('.calls-table .row', { hasText: 'restart_server' }).waitFor();
  await page.locator('.calls-table .row', { hasText: 'run_check' }).waitFor();
  await page.locator('.in-flight li').nth(1).waitFor();
  await goTo(page, 'events');
  await page.locator('.events-table .row-body .row').nth(3).waitFor();
}

/** What servers of the demo were once: other tools, and other outcomes of their calls. */
const RECORDED = [
  { type: 'recording', version: 1, at: 1, by: 'test' },
  {
    type: 'catalogue',
    at: 1,
    server: 'metrics',
    kind: 'tools',
    items: [{ name: 'query_metric', inputSchema: { type: 'object' } }, { name: 'list_metrics' }],
  },
  ...Array.from({ length: 6 }, (_, call) => [
    { type: 'call', at: 2, server: 'metrics', call, method: 'tools/call', name: 'query_metric' },
    { type: 'end', at: 3, server: 'metrics', call, outcome: 'tool-error', durationMs: 9000 },
  ]).flat(),
];

const isOpen = (page: Page) => page.locator('aside.panel').waitFor();

/** All that can be seen: each view, and what opens in it. */
const scenes: Record<string, (page: Page) => Promise<void>> = {
  ...Object.fromEntries(VIEWS.map((view) => [view, (page: Page) => goTo(page, view)])),
  'a call': async (page) => {
    await goTo(page, 'calls');
    await page.locator('.calls-table .row', { hasText: 'restart_server' }).click();
    await page.getByText('Not sent again').waitFor();
  },
  'a call in the timeline': async (page) => {
    await goTo(page, 'timeline');
    const lanes = page.getByRole('listbox', { name: /in the order of time/ });
    await lanes.getByRole('option').first().waitFor({ state: 'attached' });
    await lanes.press('ArrowUp');
    await page.locator('.timeline-tip').waitFor();
    await page.keyboard.press('Enter');
  },
  'a call in flight': async (page) => {
    await goTo(page, 'calls');
    await page.locator('.in-flight a', { hasText: 'collect_profile' }).click();
    await isOpen(page);
  },
  'an event': async (page) => {
    await goTo(page, 'events');
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.locator('.events-table .row-body .row').first().click();
    await isOpen(page);
  },
  'a form': async (page) => {
    await goTo(page, 'tools', 'logs', 'search_logs');
    await isOpen(page);
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.locator('.problems').waitFor();
  },
  'a form as JSON': async (page) => {
    await page.getByRole('button', { name: 'Write JSON' }).click();
  },
  'a result': async (page) => {
    await goTo(page, 'tools', 'metrics', 'query_metric');
    await page.locator('.arguments select').selectOption('cpu');
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.locator('.result').waitFor();
  },
  'a question': async (page) => {
    await goTo(page, 'tools', 'metrics', 'restart_server');
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.locator('.question').waitFor();
  },
  'a resource': async (page) => {
    await page.getByRole('button', { name: 'Do not run it' }).click();
    await goTo(page, 'resources');
    await page.locator('.items a').first().click();
    await isOpen(page);
  },
  latencies: async (page) => {
    await goTo(page, 'calls');
    await page.getByRole('button', { name: 'Latency', exact: true }).click();
    await page.locator('.bar').first().click();
    await page.locator('.tool-latencies button').first().click();
    await page.locator('.tool-latencies .chosen').waitFor();
    await page.locator('#filter').fill('');
  },
  plots: async (page) => {
    await goTo(page, 'events');
    await page.getByRole('button', { name: 'Plots', exact: true }).click();
    await page.locator('.number-plot canvas').waitFor();
  },
  'a comparison': async (page) => {
    await goTo(page, 'compare');
    const before = page.getByRole('region', { name: 'Before' });
    await before.locator('input').setInputFiles({
      name: 'before.ndjson',
      mimeType: 'application/x-ndjson',
      buffer: Buffer.from(RECORDED.map((line) => JSON.stringify(line)).join('\n')),
    });
    await page.locator('.change summary', { hasText: 'inputSchema' }).click();
    await page.locator('.diff').waitFor();
  },
  'completions of the filter': async (page) => {
    await goTo(page, 'calls');
    await page.locator('#filter').fill('cert');
    await page.getByRole('option').first().waitFor();
  },
  'a wrong filter': async (page) => {
    await page.locator('#filter').fill('status:lost');
    await page.locator('#filter').blur();
    await page.locator('#filter-problem').getByText(/./).waitFor();
    await page.getByRole('button', { name: 'Clear' }).click();
  },
  commands: async (page) => {
    await page.keyboard.press('Control+k');
    await page.getByRole('dialog', { name: 'Commands' }).waitFor();
  },
};

describeInChromium('each view', () => {
  it.each(['light', 'dark'] as const)('is as WCAG asks for, %s', async (colorScheme) => {
    await using dash = await startDash(['--demo']);
    await using screen = await openScreen(dash.url, { colorScheme });
    const { page } = screen;
    await fill(page);
    const found: string[] = [];
    for (const [name, open] of Object.entries(scenes)) {
      await open(page);
      found.push(...(await violationsOf(page, name)));
    }
    await page.keyboard.press('Escape');
    await dash.interrupt();
    await page.getByText('Not live.').waitFor();
    found.push(...(await violationsOf(page, 'not live')));
    expect(found).toEqual([]);
  });

  it.each([1440, 720, 400, 320])('fits a screen of %d pixels', async (width) => {
    await using dash = await startDash(['--demo']);
    await using screen = await openScreen(dash.url, { viewport: { width, height: 800 } });
    const { page } = screen;
    await fill(page);
    const found: string[] = [];
    for (const [name, open] of Object.entries(scenes)) {
      await open(page);
      found.push(...(await tooWide(page, name)));
    }
    expect(found).toEqual([]);
  });

  it('is found by its tab, in the palette, and by the address', async () => {
    await using dash = await startDash(['--demo']);
    await using screen = await openScreen(dash.url);
    const { page } = screen;
    for (const view of VIEWS.toReversed()) {
      await page.getByRole('link', { name: VIEW_TITLES[view], exact: true }).focus();
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { level: 1, name: VIEW_TITLES[view] }).waitFor();
      expect(await page.locator('[aria-current=page]').textContent()).toBe(VIEW_TITLES[view]);
    }
    for (const view of VIEWS.toReversed()) {
      await page.keyboard.press('Control+k');
      await page.keyboard.type(`open ${VIEW_TITLES[view]}`);
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { level: 1, name: VIEW_TITLES[view] }).waitFor();
      await page.reload();
      await page.getByRole('heading', { level: 1, name: VIEW_TITLES[view] }).waitFor();
    }
  });
});
