import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { OAuthClientProvider, StoredOAuthTokens } from '@modelcontextprotocol/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { oauth } from '../../src/auth/oauth.ts';
import { failureOf } from '../support/failure-of.ts';
import { challengeAt } from './support/challenge.ts';
import { Person } from './support/person.ts';
import {
  METADATA,
  said,
  startScriptedAuthority,
  status,
  TOKENS,
  type ScriptedAuthority,
} from './support/scripted-authority.ts';

const STORED = { access_token: 'old', token_type: 'Bearer', refresh_token: 'refresh' };

let server: ScriptedAuthority;
/** Another authorization server, which the server may name one day. */
let stranger: ScriptedAuthority;

beforeEach(async () => {
  server = await startScriptedAuthority();
  stranger = await startScriptedAuthority();
});

afterEach(async () => {
  await server.close();
  await stranger.close();
});

/** From now on the server names the stranger. */
function turn(): void {
  server.answers.resource = said(200, {
    resource: 'ORIGIN/mcp',
    authorization_servers: [stranger.origin],
  });
}

/** All that the stranger was told, apart from where it was asked for metadata. */
const told = (): string =>
  JSON.stringify(stranger.requests.map(({ url, headers, body }) => [url, headers, body]));

describe('an authorization server without PKCE in its metadata', () => {
  const { code_challenge_methods_supported: _left, ...unstated } = METADATA;

  it.each([
    ['nothing', unstated],
    ['an empty list', { ...unstated, code_challenge_methods_supported: [] }],
    ['`null`', { ...unstated, code_challenge_methods_supported: null }],
    ['plain alone', { ...unstated, code_challenge_methods_supported: ['plain'] }],
  ])('is not used: it says %s', async (_what, metadata) => {
    server.answers.authority = said(200, metadata);
    const person = new Person();
    expect(await failureOf(challengeAt(server.mcp, oauth(person)))).toMatchObject({
      code: 'unauthorized',
      message: expect.stringContaining('code_challenge_methods_supported') as unknown,
    });
    expect([server.asked().includes('register'), person.ledTo]).toEqual([false, []]);
  });

  it('is not used either with metadata that the program has stored', async () => {
    const person = Object.assign(new Person({ client: { client_id: 'known' } }), {
      discoveryState: () => ({
        authorizationServerUrl: server.origin,
        authorizationServerMetadata: {
          issuer: server.origin,
          authorization_endpoint: `${server.origin}/authorize`,
          token_endpoint: `${server.origin}/token`,
          response_types_supported: ['code'],
        },
      }),
      saveDiscoveryState: () => {},
    });
    const login = oauth(person, { url: server.mcp });
    expect(await failureOf(challengeAt(server.mcp, login))).toMatchObject({ code: 'unauthorized' });
    expect(person.ledTo).toEqual([]);
  });

  it('opens no browser with a URL of another scheme, also not from stored metadata', async () => {
    const person = Object.assign(new Person({ client: { client_id: 'known' } }), {
      discoveryState: () => ({
        authorizationServerUrl: server.origin,
        authorizationServerMetadata: {
          issuer: server.origin,
          authorization_endpoint: 'file:///bin/sh',
          token_endpoint: `${server.origin}/token`,
          response_types_supported: ['code'],
          code_challenge_methods_supported: ['S256'],
        },
      }),
      saveDiscoveryState: () => {},
    });
    const login = oauth(person, { url: server.mcp });
    expect(await failureOf(challengeAt(server.mcp, login))).toMatchObject({ code: 'unauthorized' });
    expect(person.ledTo).toEqual([]);
  });

  it('is used with allowUnadvertisedPkce, unless it says that it has no S256', async () => {
    server.answers.authority = said(200, unstated);
    const person = new Person();
    const login = oauth(person, { allowUnadvertisedPkce: true });
    await challengeAt(server.mcp, login);
    expect(person.ledTo[0]?.searchParams.get('code_challenge_method')).toBe('S256');
    server.answers.authority = said(200, {
      ...unstated,
      code_challenge_methods_supported: ['plain'],
    });
    const other = oauth(new Person(), { allowUnadvertisedPkce: true });
    expect(await failureOf(challengeAt(server.mcp, other))).toMatchObject({ code: 'unauthorized' });
  });
});

describe("a client's secret", () => {
  /** A program that acts for itself, and says of its client what is given. */
  function programOf(client: object): OAuthClientProvider {
    let tokens: StoredOAuthTokens | undefined;
    return {
      redirectUrl: undefined,
      clientMetadata: { redirect_uris: [] },
      clientInformation: () => ({ client_id: 'id', client_secret: 's3cret', ...client }),
      tokens: () => tokens,
      saveTokens: (saved) => void (tokens = saved),
      redirectToAuthorization: () => {},
      saveCodeVerifier: () => {},
      codeVerifier: () => '',
      prepareTokenRequest: () => new URLSearchParams({ grant_type: 'client_credentials' }),
    };
  }

  it('is sent to no other authorization server than the first', async () => {
    const login = oauth(programOf({}));
    expect(await challengeAt(server.mcp, login)).toBe('retry');
    turn();
    const error = await failureOf(challengeAt(server.mcp, login));
    expect(error).toMatchObject({ code: 'unauthorized' });
    expect(stranger.asked()).not.toContain('token');
    expect((error as Error).message).toContain(stranger.origin);
  });

  it('is sent to its issuer alone', async () => {
    const login = oauth(programOf({ issuer: 'https://elsewhere.example' }));
    expect(await failureOf(challengeAt(server.mcp, login))).toMatchObject({ code: 'unauthorized' });
    expect(server.asked()).not.toContain('token');
  });
});

describe('the credentials of one authorization server', () => {
  it('are sent to no other, even if the store keeps no issuer', async () => {
    class Forgetful extends Person {
      override tokens(): StoredOAuthTokens | undefined {
        const { issuer: _left, ...tokens } = super.tokens() ?? {};
        return 'access_token' in tokens ? tokens : undefined;
      }
    }
    const person = new Forgetful({
      client: { client_id: 'known', client_secret: 's3cret' },
      tokens: STORED,
    });
    const login = oauth(person);
    expect(await challengeAt(server.mcp, login)).toBe('retry');
    turn();
    expect(await challengeAt(server.mcp, login)).toBe('fail');
    expect(stranger.asked()).not.toContain('token');
    expect(told()).not.toMatch(/s3cret|next|refresh_token=/);
  });

  it('are kept when another process refreshed first', async () => {
    const person = new Person({ client: { client_id: 'known' }, tokens: STORED });
    const theirs = { access_token: 'theirs', token_type: 'Bearer', refresh_token: 'their next' };
    server.answers.token = (...all) => {
      person.saveTokens(theirs);
      said(400, { error: 'invalid_grant' })(...all);
    };
    expect(await challengeAt(server.mcp, oauth(person))).toBe('retry');
    expect([person.tokens(), person.ledTo]).toEqual([theirs, []]);
  });
});

describe('a redirect', () => {
  it.each([301, 302, 303, 307, 308])('(%i) sends no secret to another origin', async (code) => {
    server.answers.token = status(code, { location: `${stranger.origin}/token` });
    const person = new Person({ client: { client_id: 'known' }, tokens: STORED });
    await challengeAt(server.mcp, oauth(person)).catch(() => undefined);
    expect(stranger.requests).toEqual([]);
  });
});

describe('a public server', () => {
  /** An address of the block for documentation, at which nobody is. */
  const everywhere = new URL('http://203.0.113.5/mcp');
  let inside: Server;
  let reached: string[];
  let port: number;

  beforeEach(async () => {
    reached = [];
    inside = createServer((request, response) => {
      reached.push(request.url ?? '');
      response.writeHead(404).end();
    }).listen(0, '127.0.0.1');
    await once(inside, 'listening');
    port = (inside.address() as AddressInfo).port;
  });

  afterEach(() => {
    inside.closeAllConnections();
    inside.close();
  });

  it.each(['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '0x7f000001', '2130706433'])(
    'cannot have %s asked for metadata',
    async (host) => {
      const challenge = `Bearer resource_metadata="http://${host}:${port}/metadata"`;
      const error = await failureOf(challengeAt(everywhere, oauth(new Person()), challenge));
      expect(error).toMatchObject({
        code: 'unauthorized',
        message: expect.stringContaining('allowPrivateAddresses') as unknown,
      });
      expect(reached).toEqual([]);
    },
  );

  it('can with allowPrivateAddresses', async () => {
    const challenge = `Bearer resource_metadata="http://127.0.0.1:${port}/metadata"`;
    const login = oauth(new Person(), {
      allowPrivateAddresses: true,
      // Nothing leaves this machine.
      fetch: (url, init) =>
        new URL(url).port === String(port) ? fetch(url, init) : Promise.reject(new TypeError('no')),
    });
    await failureOf(challengeAt(everywhere, login, challenge));
    expect(reached).toEqual(['/metadata']);
  });

  it('cannot with a `fetch` of the program either', async () => {
    const challenge = `Bearer resource_metadata="http://127.0.0.1:${port}/metadata"`;
    const login = oauth(new Person(), { fetch: (url, init) => fetch(url, init) });
    await failureOf(challengeAt(everywhere, login, challenge));
    expect(reached).toEqual([]);
  });
});

describe('a server at a private address', () => {
  it('may name another', async () => {
    turn();
    expect(await challengeAt(server.mcp, oauth(new Person()))).toBe('fail');
    expect(stranger.asked()).toContain('register');
  });

  it('may not name the metadata services of clouds', async () => {
    server.answers.resource = said(200, {
      resource: 'ORIGIN/mcp',
      authorization_servers: ['http://169.254.169.254/latest'],
    });
    expect(await failureOf(challengeAt(server.mcp, oauth(new Person())))).toMatchObject({
      code: 'unauthorized',
      message: expect.stringContaining('169.254.169.254') as unknown,
    });
  });

  it('gets its tokens', async () => {
    const person = new Person({ client: { client_id: 'known' }, tokens: STORED });
    expect(await challengeAt(server.mcp, oauth(person))).toBe('retry');
    expect(person.tokens()).toMatchObject(TOKENS);
  });
});
