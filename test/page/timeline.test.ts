import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { createHeader, toLine, type RecordedLine } from '@longwire/recording';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { removeFolder } from '../support/remove-folder.ts';
import { until } from '../support/until.ts';
import { describeInChromium, goTo, openScreen, startDash } from './chromium.ts';

const BEGIN = 1_790_000_000_000;
const lost = { code: 'connection-lost', message: 'the connection was reset' };

/** A loss with two calls in flight: one is sent again, one is not. Another server has a call in two rounds. */
const STORY: readonly RecordedLine[] = (
  [
    { type: 'state', at: 0, server: 'docs', state: 'ready' },
    { type: 'state', at: 1, server: 'files', state: 'ready' },
    { type: 'call', at: 100, server: 'docs', call: 1, method: 'tools/call', name: 'search' },
    { type: 'attempt', at: 101, server: 'docs', call: 1, attempt: 1 },
    { type: 'call', at: 150, server: 'docs', call: 2, method: 'tools/call', name: '<b>index</b>' },
    { type: 'attempt', at: 151, server: 'docs', call: 2, attempt: 1 },
    { type: 'state', at: 300, server: 'docs', state: 'reconnecting', reason: lost },
    {
      type: 'end',
      at: 301,
      server: 'docs',
      call: 2,
      outcome: 'error',
      durationMs: 151,
      error: { ...lost, certainty: 'outcome-unknown' },
    },
    { type: 'call', at: 400, server: 'files', call: 5, method: 'tools/call', name: 'book' },
    { type: 'attempt', at: 400, server: 'files', call: 5, attempt: 1 },
    {
      type: 'end',
      at: 420,
      server: 'files',
      call: 5,
      outcome: 'result',
      durationMs: 20,
      result: { resultType: 'input_required' },
    },
    {
      type: 'call',
      at: 430,
      server: 'files',
      call: 6,
      method: 'tools/call',
      name: 'book',
      by: { call: 5 },
    },
    { type: 'attempt', at: 430, server: 'files', call: 6, attempt: 1 },
    { type: 'end', at: 450, server: 'files', call: 6, outcome: 'result', durationMs: 20 },
    { type: 'state', at: 500, server: 'docs', state: 'ready' },
    { type: 'attempt', at: 501, server: 'docs', call: 1, attempt: 2 },
    { type: 'end', at: 600, server: 'docs', call: 1, outcome: 'result', durationMs: 500 },
    { type: 'call', at: 700, server: 'files', call: 3, method: 'tools/call', name: 'read' },
    { type: 'attempt', at: 701, server: 'files', call: 3, attempt: 1 },
    { type: 'end', at: 750, server: 'files', call: 3, outcome: 'result', durationMs: 50 },
    { type: 'call', at: 900, server: 'files', call: 4, method: 'tools/call', name: 'write' },
    {
      type: 'end',
      at: 910,
      server: 'files',
      call: 4,
      outcome: 'error',
      durationMs: 10,
      error: { code: 'queue-full', certainty: 'not-sent', message: 'too many calls' },
    },
    { type: 'notification', at: 1000, server: 'files', method: 'notifications/message' },
  ] as const
).map((line) => ({ ...line, at: BEGIN + line.at }));

let cwd: string;
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'longwire-timeline-'));
  const lines = [createHeader('test'), ...STORY].map(toLine);
  await writeFile(join(cwd, 'story.ndjson'), lines.join(''));
});
afterEach(() => removeFolder(cwd));

const lanes = (page: Page) => page.getByRole('listbox', { name: /^Calls and states/ });
const range = (page: Page) => page.locator('.timeline-range').textContent();

/** The colours of the canvas, the one of the most pixels first. */
const COLOURS = `(() => {
  const canvas = document.querySelector('.timeline-lanes canvas');
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const colours = new Map();
  for (let at = 0; at < data.length; at += 4) {
    const colour = data.slice(at, at + 3).join();
    colours.set(colour, (colours.get(colour) ?? 0) + 1);
  }
  return [...colours].sort((a, b) => b[1] - a[1]).map(([colour]) => colour);
})()`;

/** Where a time of the whole story is: names take 150 pixels, and a little is free at both ends. */
const xOf = (box: { x: number; width: number }, at: number): number =>
  box.x + 150 + (box.width - 150) * ((at + 20) / 1040);

/** The replay at its end, in the view of time. */
async function openStory(page: Page): Promise<void> {
  await page.getByRole('slider', { name: 'Time of the replay' }).press('End');
  await until(async () => {
    expect(await page.locator('.replay').textContent()).toContain('1.0 s of 1.0 s');
  });
  await goTo(page, 'timeline');
  await lanes(page).getByRole('option').first().waitFor();
}

/** Goes from what is selected, or the last item, back to the first, and says what each of them is. */
const ITEMS = `(async () => {
  const list = document.querySelector('.timeline-scroll');
  const items = [];
  for (let press = 0; press < 1000; press++) {
    const init = { key: 'ArrowUp', bubbles: true, cancelable: true };
    list.dispatchEvent(new KeyboardEvent('keydown', init));
    await new Promise((resolve) => setTimeout(resolve));
    const text = list.querySelector('[role=option][aria-selected=true]')?.textContent ?? '';
    if (text === items[0]) break;
    items.unshift(text);
  }
  return items;
})()`;

/** Reads all items within the page: asked for one by one, they change faster than a busy machine reads them. */
async function itemsOf(page: Page): Promise<string[]> {
  await lanes(page).focus();
  const items = await page.evaluate<string[]>(ITEMS);
  return items.map((text) => text.replace(/, [\d:.]+$/, ''));
}

describeInChromium('the timeline', () => {
  expectNothingLeftOpen();

  it('tells by keys what happened, in order, and opens it', async () => {
    await using dash = await startDash(['--replay', 'story.ndjson'], { cwd });
    await using screen = await openScreen(dash.url);
    const { page } = screen;
    await openStory(page);
    expect(await range(page)).toContain('the whole recording');
    expect(await itemsOf(page)).toEqual([
      'ready, docs, for 300 ms',
      'ready, files, for 999 ms until now',
      'search, docs, result, 500 ms, sent 2 times',
      '<b>index</b>, docs, connection-lost, outcome-unknown, 151 ms',
      'reconnecting, docs, for 200 ms, connection-lost: the connection was reset',
      'book, files, result, 50 ms, 2 rounds',
      'ready, docs, for 500 ms until now',
      'read, files, result, 50 ms',
      'write, files, queue-full, not-sent, 10 ms, not sent',
    ]);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.getByText('Sent again, attempt 2').waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('Sent again, attempt 2').waitFor({ state: 'detached' });
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.getByText('Not sent again: outcome-unknown').waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('Not sent again: outcome-unknown').waitFor({ state: 'detached' });
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.getByText('Drawn as one with').getByRole('link', { name: 'call 5' }).click();
    await page.getByRole('complementary', { name: 'book · call 5' }).waitFor();
  });

  it('zooms, moves, and shows all again', async () => {
    await using dash = await startDash(['--replay', 'story.ndjson'], { cwd });
    await using screen = await openScreen(dash.url);
    const { page } = screen;
    await openStory(page);
    await lanes(page).focus();
    const seen = [await range(page)];
    for (const key of ['+', 'ArrowRight', '-', 'Home', 'End']) {
      await page.keyboard.press(key);
      await until(async () => expect(await range(page)).not.toBe(seen.at(-1)));
      seen.push(await range(page));
    }
    expect(seen.at(-1)).toBe(seen[0]);
    const box = (await lanes(page).boundingBox())!;
    await page.mouse.move(box.x + 300, box.y + 100);
    await page.mouse.down();
    await page.mouse.move(box.x + 700, box.y + 100, { steps: 4 });
    await page.mouse.up();
    await until(async () => expect(await range(page)).toContain('held'));
    const dragged = await range(page);
    await page.mouse.wheel(0, -300);
    await until(async () => expect(await range(page)).not.toBe(dragged));
    await page.getByRole('button', { name: 'Show all' }).click();
    await until(async () => expect(await range(page)).toBe(seen[0]));
  });

  it('filters every view by a time that is dragged over', async () => {
    await using dash = await startDash(['--replay', 'story.ndjson'], { cwd });
    await using screen = await openScreen(dash.url);
    const { page } = screen;
    await openStory(page);
    const box = (await lanes(page).boundingBox())!;
    await page.mouse.move(xOf(box, 650), box.y + 8);
    await page.mouse.down();
    await page.mouse.move(xOf(box, 800), box.y + 8, { steps: 4 });
    await page.mouse.up();
    const chip = page.getByRole('button', { name: /^Show all times again/ });
    await chip.waitFor();
    await goTo(page, 'calls');
    await page.getByRole('heading', { name: '1 call ended' }).waitFor();
    await page.locator('.calls-table .row', { hasText: 'read' }).waitFor();
    await goTo(page, 'events');
    await page.getByText('No event fits the filter').waitFor();
    await chip.click();
    await page.getByRole('heading', { name: '1 event', exact: true }).waitFor();
    await goTo(page, 'calls');
    await page.getByRole('heading', { name: '6 calls ended' }).waitFor();
  });

  it('draws in the colours of each theme, and says what a pointer is over', async () => {
    await using dash = await startDash(['--replay', 'story.ndjson'], { cwd });
    const grounds = new Set<string>();
    for (const colorScheme of ['light', 'dark'] as const) {
      await using screen = await openScreen(dash.url, { colorScheme });
      const { page } = screen;
      await openStory(page);
      const box = (await lanes(page).boundingBox())!;
      await page.mouse.move(xOf(box, 450), box.y + 59);
      await page.locator('.timeline-tip', { hasText: 'sent 2 times' }).waitFor();
      const colours = await page.evaluate<string[]>(COLOURS);
      grounds.add(colours[0] ?? '');
      expect(colours.length).toBeGreaterThan(20);
    }
    expect(grounds.size).toBe(2);
  });

  it('shows a server that is killed and comes back, and what became of its calls', async () => {
    await using dash = await startDash(['--demo']);
    await using screen = await openScreen(dash.url);
    const { page } = screen;
    const call = (name: string, args: object): Promise<unknown> => {
      const body = { server: 'metrics', method: 'tools/call', name, arguments: args };
      return page.evaluate(`fetch('/api/call', {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-longwire-page': '1' },
        body: ${JSON.stringify(JSON.stringify({ ...body, confirmed: true }))},
      }).then((answer) => answer.json())`);
    };
    await page.getByRole('article', { name: 'Server metrics' }).getByText('ready').waitFor();
    await call('collect_profile', { seconds: 60 });
    await call('restart_server', { awaySeconds: 0 });
    await goTo(page, 'calls');
    await page.locator('.calls-table .row', { hasText: 'restart_server' }).waitFor();
    await goTo(page, 'timeline');
    await until(async () => {
      await lanes(page).press('End');
      await lanes(page).press('Escape');
      const items = await itemsOf(page);
      const last = items.findLastIndex((item) => /^(re)?connecting, metrics, /.test(item));
      expect(items.slice(last)).toContainEqual(
        expect.stringMatching(/^ready, metrics, .*until now/),
      );
      // What only reads is sent again; what may change things is not.
      expect(items).toContainEqual(
        expect.stringMatching(/^collect_profile, metrics, in flight, .*sent 2 times/),
      );
      expect(items).toContainEqual(
        expect.stringMatching(/^restart_server, metrics, connection-lost, outcome-unknown, /),
      );
    });
  });

  it('follows what happens now until it is held', async () => {
    await using dash = await startDash(['--demo']);
    await using screen = await openScreen(dash.url);
    const { page } = screen;
    await goTo(page, 'timeline');
    await lanes(page).getByRole('option').first().waitFor();
    const begun = await range(page);
    expect(begun).toContain('follows now');
    await until(async () => expect(await range(page)).not.toBe(begun));
    await page.getByRole('button', { name: 'Hold' }).click();
    await until(async () => expect(await range(page)).toContain('held'));
    const held = await range(page);
    await page.getByText('● live').waitFor();
    await lanes(page).focus();
    await page.keyboard.press('End');
    await until(async () => expect(await range(page)).toContain('follows now'));
    expect(await range(page)).not.toBe(held);
  });
});
