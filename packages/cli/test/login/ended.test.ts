import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startOAuthServer, type OAuthServer } from '../../../../test/support/oauth-server.ts';
import { loginDirectory } from '../../src/login/login-directory.ts';
import { logIn, makeHome, run, type Home } from './support.ts';

let server: OAuthServer;
let home: Home;

beforeEach(async () => {
  [server, home] = await Promise.all([startOAuthServer(), makeHome()]);
  await logIn(server.url, home);
  expect(await call()).toMatchObject({ code: 0 });
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await home[Symbol.asyncDispose]();
});

const call = (): ReturnType<typeof run> => run(['call', server.url, 'read'], home);

/** The file of the only login. */
function file(): string {
  const directory = loginDirectory(home.env);
  const [name = ''] = readdirSync(directory).filter((each) => each.endsWith('.json'));
  return join(directory, name);
}

it('says that a login has ended when the issuer does not renew it, until there is a new one', async () => {
  const { secrets } = JSON.parse(readFileSync(file(), 'utf8')) as {
    secrets: { client: { client_id: string }; tokens: { refresh_token: string } };
  };
  await fetch(`${server.issuer}/token/revocation`, {
    method: 'POST',
    body: new URLSearchParams({
      token: secrets.tokens.refresh_token,
      client_id: secrets.client.client_id,
    }),
  });
  server.expireTokens();
  const said = `error: ${server.url} wants a new login at ${server.issuer}: the last one has ended; run: longwire login ${server.url}\n`;
  expect(await call()).toEqual({ code: 4, stdout: '', stderr: said });
  expect(server.refused).toEqual(['invalid_grant']);
  // What was refused once is not asked again.
  expect(await call()).toMatchObject({ code: 4 });
  expect(server.refused).toEqual(['invalid_grant']);
  expect((await run(['whoami', server.url], home)).stdout).toContain('it has ended');
  await logIn(server.url, home);
  expect(await call()).toMatchObject({ code: 0 });
});

it('sends no refresh token to another issuer than the one that gave it', async () => {
  const text = readFileSync(file(), 'utf8');
  writeFileSync(file(), text.replaceAll(server.issuer, 'https://issuer.example'));
  server.expireTokens();
  const before = server.requests.filter((request) => request === 'POST /token').length;
  const { code, stderr } = await call();
  expect(code).toBe(4);
  expect(stderr).toContain(
    `wants a new login at ${server.issuer}: the last one was at https://issuer.example; run: longwire login`,
  );
  expect(server.requests.filter((request) => request === 'POST /token')).toHaveLength(before);
});

it('waits for an issuer that is away, and keeps the login', async () => {
  const text = readFileSync(file(), 'utf8');
  server.expireTokens();
  await server.stopIssuer();
  const { code, stderr } = await call();
  expect(code).toBe(4);
  expect(stderr).toContain('could not be renewed');
  expect(stderr).toContain('it is kept: try again later');
  expect(readFileSync(file(), 'utf8')).toBe(text);
});
