import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeHome, type Home } from '../../packages/cli/test/login/support.ts';
import { Browser } from '../support/browser.ts';
import { startOAuthServer, type OAuthServer } from '../support/oauth-server.ts';
import { hasTerminal, startAtTerminal, type AtTerminal } from './support/terminal.ts';

let server: OAuthServer;
let home: Home;

beforeEach(async () => {
  [server, home] = await Promise.all([startOAuthServer(), makeHome()]);
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await home[Symbol.asyncDispose]();
});

const logIn = (...words: string[]): Promise<AtTerminal> =>
  startAtTerminal(['login', server.url, ...words], { env: home.env });

describe.skipIf(!hasTerminal)('longwire login at a terminal', () => {
  test('takes a pasted address that is longer than a line of a terminal', async () => {
    await using terminal = await logIn('--no-browser');
    const shown = await terminal.shows(/Paste the address/);
    const [, address = ''] = /^ {2}(http:\S+)\r?$/m.exec(shown) ?? [];
    const isBack = ({ pathname }: URL): boolean => pathname === '/callback';
    const { url } = await new Browser().open(address, { until: isBack });
    url.searchParams.set('session_state', 'x'.repeat(6000));
    terminal.type(`${url.href}\r`);
    await terminal.shows(/Logged in to/);
    expect(await terminal.ended).toBe(0);
  });

  test.each([
    [['--no-browser'], /Paste the address/],
    [[], /waiting for the browser/],
    [['--device'], /waiting until the code is entered/],
  ])('ends with Ctrl-C: %j', async (words, waiting) => {
    await using terminal = await logIn(...words);
    await terminal.shows(waiting);
    terminal.type('\u0003');
    expect(await terminal.ended).toBe(130);
  });
});
