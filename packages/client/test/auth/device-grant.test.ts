import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../../../../test/support/browser.ts';
import { startOAuthServer, type OAuthServer } from '../../../../test/support/oauth-server.ts';
import { oauth, offeredLogin, type DeviceCode, type OAuth } from '../../src/auth/oauth.ts';
import { connect } from '../../src/index.ts';
import { failureOf } from '../support/failure-of.ts';
import { Person } from './support/person.ts';

/** Somebody without a browser. */
class DevicePerson extends Person {
  override readonly clientMetadata = {
    client_name: 'a test',
    redirect_uris: [],
    response_types: [],
    token_endpoint_auth_method: 'none',
    grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
  };
}

let server: OAuthServer;
let person: Person;
let login: OAuth;

beforeEach(async () => {
  server = await startOAuthServer();
  person = new DevicePerson();
  login = oauth(person, { url: server.url });
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

/** The person enters the code, and answers. */
async function enter({ completeUrl = '' }: DeviceCode): Promise<void> {
  const browser = new Browser();
  const form = await browser.open(completeUrl);
  const confirmed = await browser.submit(form, {});
  expect(confirmed.status).toBe(200);
  await browser.submit(confirmed, { confirm: 'yes' });
}

describe('a device code', () => {
  it('gives tokens that can be refreshed and revoked', async () => {
    await login.authorizeDevice({ onCode: (code) => void enter(code) });
    expect(person.store.tokens).toMatchObject({ issuer: server.issuer, scope: 'notes:read' });
    const client = await connect(server.url, { auth: login });
    await client.callTool('read');
    server.expireTokens();
    await client.callTool('read');
    await client.close();
    expect(server.granted).toMatchObject({ refresh_token: 1 });
    expect(await login.revoke()).toBe(true);
    server.expireTokens();
    expect(await failureOf(connect(server.url, { auth: login }))).toMatchObject({
      code: 'unauthorized',
    });
    expect(server.refused).toContain('invalid_grant');
  });

  it('fails when the person refuses', async () => {
    server.decision = 'deny';
    const asked = login.authorizeDevice({ onCode: (code) => void enter(code) });
    expect(await failureOf(asked)).toMatchObject({
      code: 'unauthorized',
      message: expect.stringContaining('access_denied') as string,
    });
  });

  it('fails when it expires before anybody entered it', async () => {
    await using brief = await startOAuthServer({ ttl: { DeviceCode: 1 } });
    const asked = oauth(new DevicePerson(), { url: brief.url }).authorizeDevice({
      onCode: () => undefined,
    });
    expect(await failureOf(asked)).toMatchObject({
      code: 'unauthorized',
      message: expect.stringContaining('the code expired before it was entered') as string,
    });
  });

  it('is no longer waited for after an abort', async () => {
    const controller = new AbortController();
    const asked = login.authorizeDevice({
      onCode: () => controller.abort(new Error('enough')),
      signal: controller.signal,
    });
    await expect(asked).rejects.toThrow('enough');
  });
});

it('says what login a server offers', async () => {
  expect(await offeredLogin(server.url)).toEqual({
    issuer: server.issuer,
    scopes: ['notes:read'],
    hasDeviceGrant: true,
  });
});
