import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  METADATA,
  said,
  startScriptedAuthority,
  type Answer,
  type ScriptedAuthority,
} from '../../../client/test/auth/support/scripted-authority.ts';
import { Browser } from '../../../../test/support/browser.ts';
import { makeHome, run, start, type Home } from './support.ts';

let authority: ScriptedAuthority;
let home: Home;

/** What is not the server itself is its metadata. */
const server: Answer = (response, request, origin) => {
  if (request.url !== '/mcp') {
    said(200, { resource: 'ORIGIN/mcp', authorization_servers: ['ORIGIN'] })(
      response,
      request,
      origin,
    );
    return;
  }
  response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
};

beforeEach(async () => {
  [authority, home] = await Promise.all([startScriptedAuthority({ resource: server }), makeHome()]);
});

afterEach(async () => {
  await authority[Symbol.asyncDispose]();
  await home[Symbol.asyncDispose]();
});

const login = (...words: string[]): ReturnType<typeof run> =>
  run(['login', authority.mcp.href, ...words], home);

const large: Answer = (response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  const part = Buffer.alloc(1024 * 1024, ' ');
  response.on('error', () => undefined);
  for (let sent = 0; sent < 50; sent++) response.write(part);
  response.end('{}');
};

it.each([
  ['file:///etc/passwd', []],
  ['javascript:alert(1)', []],
  ['vscode://run', ['--no-browser']],
])('never opens %s', async (address, words) => {
  authority.answers.authority = said(200, { ...METADATA, authorization_endpoint: address });
  const { code, stdout, stderr } = await login(...words);
  expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
  expect(stderr).toContain('authorization_endpoint');
  expect(stderr).not.toContain('Open this');
});

it('never shows an address for a device code that a browser should not open', async () => {
  authority.answers.authority = said(200, {
    ...METADATA,
    device_authorization_endpoint: 'ORIGIN/token',
  });
  authority.answers.token = said(200, {
    device_code: 'a',
    user_code: 'B\u001B[2JC',
    verification_uri: 'javascript:alert(1)',
    expires_in: 600,
  });
  const { code, stderr } = await login('--device');
  expect(code).toBe(4);
  expect(stderr).toContain('no http or https URL');
});

it('says which option an issuer needs that does not name PKCE', async () => {
  authority.answers.authority = said(200, {
    ...METADATA,
    code_challenge_methods_supported: undefined,
  });
  const { code, stderr } = await login();
  expect({ code, stderr }).toMatchObject({
    code: 4,
    stderr: expect.stringMatching(/if you know that it does: --unadvertised-pkce\n$/) as string,
  });
});

it('reads a page of HTML as no answer, and no more than a megabyte of anything', async () => {
  authority.answers.register = (response) =>
    void response.writeHead(500, { 'content-type': 'text/html' }).end('<h1>\u001B[2Joops</h1>');
  const page = await login();
  expect(page.code).toBe(4);
  expect(page.stderr).not.toContain('\u001B');
  authority.answers.register = large;
  expect((await login()).stderr).toContain('over 1048576 bytes');
  authority.answers.authority = large;
  const refused = await run(['tools', authority.mcp.href], home);
  expect(refused.code).toBe(4);
});

it('keeps no token that came with an error or that the server refuses', async () => {
  const come = async (): Promise<{ code: number; stderr: string }> => {
    const running = start(['login', authority.mcp.href], home);
    await new Browser().open(await running.said(/(http:\S+\/[0-9a-f]{32})/));
    return await running.done;
  };
  authority.answers.token = said(400, { error: 'invalid_grant', error_description: 'a\u001B[2Jb' });
  expect(await come()).toMatchObject({
    code: 4,
    stderr: expect.not.stringContaining('\u001B') as string,
  });
  authority.answers.token = said(200, { access_token: 'x', token_type: 'Bearer' });
  expect(await come()).toMatchObject({
    code: 4,
    stderr: expect.stringContaining('refuses the token') as string,
  });
  expect(await run(['whoami', '--json'], home)).toMatchObject({ stdout: '[]\n' });
});
