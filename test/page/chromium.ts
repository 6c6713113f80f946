import { existsSync } from 'node:fs';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { startCli, type CliOptions, type CliProcess } from '../support/run-cli.ts';

const PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/snap/bin/chromium'];

/** Chromium of this machine: what `CHROMIUM` names, or where distributions put it. */
export const chromiumPath: string | undefined = [process.env['CHROMIUM'] ?? '', ...PATHS].find(
  existsSync,
);

if (chromiumPath === undefined && process.env['CI']) throw new Error('there is no chromium');
if (chromiumPath === undefined) console.log('left out: chromium is not installed');

let running: Browser | undefined;

/** Tests in headless Chromium, which is started once for all of them. Left out where there is none. */
export function describeInChromium(name: string, tests: () => void): void {
  describe.skipIf(chromiumPath === undefined)(name, () => {
    beforeAll(async () => {
      running = await launchChromium();
    });
    afterAll(async () => {
      await running?.close();
      running = undefined;
    });
    tests();
  });
}

/** Starts headless Chromium. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath ?? '',
    args: ['--no-sandbox', '--disable-gpu'],
  });
}

/** A page in a browser of its own, without the cookies of others. */
export interface Screen extends AsyncDisposable {
  readonly page: Page;
  /** What broke, what its policy refused, and what it asked of another origin. */
  readonly complaints: readonly string[];
}

/** Opens an address. When it is disposed of, whatever the page complained about fails the test. */
export async function openScreen(
  url: string,
  options: BrowserContextOptions = {},
): Promise<Screen> {
  if (running === undefined) throw new Error('only tests of describeInChromium have a browser');
  const context = await running.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  // Less than a test may take, so that it says what it waited for.
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    const isOfNetwork = message.text().startsWith('Failed to load resource');
    if (['error', 'warning'].includes(message.type()) && !isOfNetwork) {
      complaints.push(message.text());
    }
  });
  const { origin } = new URL(url);
  page.on('request', (request) => {
    const asked = new URL(request.url());
    if (asked.protocol !== 'data:' && asked.protocol !== 'blob:' && asked.origin !== origin) {
      complaints.push(`asked ${request.url()}`);
    }
  });
  await page.goto(url);
  return {
    page,
    complaints,
    [Symbol.asyncDispose]: async () => {
      await context.close();
      expect(complaints).toEqual([]);
    },
  };
}

const ADDRESS = /http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]+/;

/** `longwire dash` while it runs. */
export interface Dash extends AsyncDisposable {
  readonly command: CliProcess;
  /** The address that it printed, with its token. */
  readonly url: string;
  /** Ends it as Ctrl-C does. */
  interrupt(): Promise<void>;
}

/** Starts `longwire dash` with these words, and waits for its address. */
export async function startDash(words: string[], options: CliOptions = {}): Promise<Dash> {
  const command = await startCli(['dash', '--no-open', ...words], {
    killAfterMs: 110_000,
    ...options,
  });
  await command.waitFor(ADDRESS);
  return {
    command,
    url: ADDRESS.exec(command.stdout())?.[0] ?? '',
    interrupt: async () => {
      command.kill('SIGINT');
      expect((await command.done).code).toBe(130);
    },
    [Symbol.asyncDispose]: () => command[Symbol.asyncDispose](),
  };
}

/** A view of the page that is open, by its address. */
export async function goTo(page: Page, ...parts: readonly (string | number)[]): Promise<void> {
  const hash = parts.map((part) => encodeURIComponent(String(part))).join('/');
  await page.evaluate(`location.hash = ${JSON.stringify(`#/${hash}`)}`);
  await page.locator(`main.view-${parts[0]}`).waitFor();
}
