import { request } from 'undici';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Browser } from '../../../../test/support/browser.ts';
import { startOAuthServer, type OAuthServer } from '../../../../test/support/oauth-server.ts';
import { logIn, makeHome, start, type Home } from './support.ts';

let server: OAuthServer;
let home: Home;

beforeEach(async () => {
  [server, home] = await Promise.all([startOAuthServer(), makeHome()]);
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await home[Symbol.asyncDispose]();
});

it('takes the callback of this login and of no other page, and waits on', async () => {
  const running = start(['login', server.url], home);
  const address = await running.said(/(http:\S+\/[0-9a-f]{32})/);
  const isBack = ({ pathname }: URL): boolean => pathname === '/callback';
  const { url } = await new Browser().open(address, { until: isBack });
  const comeBack = async (changed: URL, headers: Record<string, string> = {}): Promise<number> => {
    const { statusCode, body } = await request(changed, { headers });
    await body.dump();
    return statusCode;
  };
  const otherState = new URL(url);
  otherState.searchParams.set('state', 'x'.repeat(43));
  const noState = new URL('/callback?code=another', url);
  expect(await comeBack(otherState)).toBe(400);
  expect(await comeBack(noState)).toBe(400);
  // A page that knows the address, or a name that leads here.
  expect(await comeBack(url, { origin: 'https://evil.example' })).toBe(403);
  expect(await comeBack(url, { 'sec-fetch-mode': 'no-cors' })).toBe(403);
  expect(await comeBack(url, { host: `evil.example:${url.port}` })).toBe(403);
  expect(await comeBack(new URL('/favicon.ico', url))).toBe(404);
  // The first address leads to the issuer once.
  expect(await comeBack(new URL(address))).toBe(404);
  expect(await comeBack(url, { 'sec-fetch-mode': 'navigate' })).toBe(200);
  expect(await running.done).toMatchObject({ code: 0 });
});

it('comes back to the redirect that the client has registered', async () => {
  const words = ['--redirect', 'http://localhost/back', '--client-id', 'named'];
  const { code } = await logIn(server.url, home, words);
  expect(code).toBe(0);
});

it('refuses a port that is taken', async () => {
  const redirect = `${server.issuer}/callback`;
  const { code, stderr } = await start(['login', server.url, '--redirect', redirect], home).done;
  expect({ code, stderr }).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(`--redirect ${redirect} cannot be used`) as string,
  });
});

it.each([
  [['--device', '--no-browser'], '--device and --no-browser are two ways'],
  [['--client-credentials'], '--client-credentials needs --client-id and --client-secret-env'],
  [['--client-secret-env', 'X'], 'give its --client-id, too'],
  [['--client-id', 'a', '--client-secret-env', 'X'], '--client-secret-env X: that is not set'],
  [['--redirect', 'http://a.example/callback'], 'does not lead to this machine'],
  [['--redirect', 'myapp://callback'], 'does not lead to this machine'],
  [['--scope', ' '], '--scope is empty'],
  [['--header', 'Authorization: Bearer x'], 'the credentials of --header would be sent'],
])('refuses %j', async (words, said) => {
  const { code, stderr } = await start(['login', server.url, ...words], home).done;
  expect({ code, stderr }).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(said) as string,
  });
  expect(server.requests).toEqual([]);
});
