import { afterEach, describe, expect, it } from 'vitest';
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
  type Answer,
  type Asked,
  type ScriptedAuthority,
} from './support/scripted-authority.ts';

let server: ScriptedAuthority;
afterEach(() => server.close());

/** Somebody comes for the first time: metadata, registration, browser, tokens. */
async function signIn(answers: Partial<Record<Asked, Answer>>): Promise<Person> {
  server = await startScriptedAuthority(answers);
  const person = new Person();
  const login = oauth(person);
  person.onCallback = (callback) => login.finish(callback);
  expect(await challengeAt(server.mcp, login)).toBe('retry');
  return person;
}

const page: Answer = (response) =>
  void response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><p>app</p>');
const REGISTERED = { client_id: 'registered', redirect_uris: ['http://127.0.0.1:9/callback'] };
const RESOURCE = { resource: 'ORIGIN/mcp', authorization_servers: ['ORIGIN'] };

describe('a person authorizes at an authorization server', () => {
  it.each<[string, Partial<Record<Asked, Answer>>]>([
    [
      'that has `null` and empty texts for what a client did not say (Ory Hydra)',
      {
        register: said(201, {
          ...REGISTERED,
          client_uri: '',
          logo_uri: '',
          policy_uri: '',
          contacts: null,
          jwks: null,
          jwks_uri: '',
          client_secret: '',
          client_secret_expires_at: null,
        }),
      },
    ],
    [
      'that has other types for what nobody reads',
      {
        register: said(200, {
          ...REGISTERED,
          client_id_issued_at: '2026-01-01T00:00:00Z',
          client_secret_expires_at: 'never',
          client_uri: 'none',
        }),
      },
    ],
    [
      'that does not repeat what was registered (Supabase)',
      { register: said(201, { client_id: 'registered', client_uri: '', scope: ['a', 'b'] }) },
    ],
    [
      'of a server with `null` in its metadata (OpenMetadata)',
      {
        resource: said(200, {
          ...RESOURCE,
          resource_signing_alg_values_supported: null,
          resource_policy_uri: '',
          scopes_supported: [null, 'read'],
        }),
      },
    ],
    [
      'that a server names without a list',
      { resource: said(200, { ...RESOURCE, authorization_servers: 'ORIGIN' }) },
    ],
    [
      'that is one of two, of which the other is nothing',
      { resource: said(200, { ...RESOURCE, authorization_servers: ['', 'ORIGIN'] }) },
    ],
    [
      'with `null` and empty members in its metadata',
      {
        authority: said(200, {
          ...METADATA,
          service_documentation: '',
          revocation_endpoint: null,
          scopes_supported: null,
          op_policy_uri: 5,
          response_types_supported: [],
          code_challenge_methods_supported: 'S256',
        }),
      },
    ],
    [
      'whose metadata is only in the place of OpenID Connect, without what that demands',
      { authority: status(404), openid: said(200, METADATA) },
    ],
    [
      'whose application shows a page for every other path',
      { authority: page, openid: said(200, METADATA) },
    ],
    ['of a server whose application does that', { resource: page }],
    [
      'that has a word of its own in one place, and its metadata in the other',
      { authority: said(200, { error: 'not found' }), openid: said(200, METADATA) },
    ],
    [
      'whose issuer has a slash that the server leaves out (JumpCloud, Expo, Indeed)',
      { authority: said(200, { ...METADATA, issuer: 'ORIGIN/' }) },
    ],
    [
      'whose issuer lacks a slash that the server has (Google)',
      { resource: said(200, { ...RESOURCE, authorization_servers: ['ORIGIN/'] }) },
    ],
    [
      'whose issuer has a path, and the slash is there or is not',
      {
        resource: said(200, { ...RESOURCE, authorization_servers: ['ORIGIN/tenant'] }),
        authority: said(200, { ...METADATA, issuer: 'ORIGIN/tenant/' }),
      },
    ],
    [
      'whose documents begin with a mark of the byte order',
      {
        token: (response) =>
          void response
            .writeHead(200, { 'content-type': 'application/json' })
            .end(`\u{feff}${JSON.stringify(TOKENS)}`),
      },
    ],
  ])('%s', async (_what, answers) => {
    const person = await signIn(answers);
    expect(person.tokens()).toMatchObject(TOKENS);
    expect(person.ledTo).toHaveLength(1);
    expect(person.clientInformation()?.client_id).toBe('registered');
  });
});

describe('of tokens', () => {
  it.each([
    ['`null` is not there', { id_token: null, scope: null, expires_in: null }, {}],
    ['numbers may be texts (Entra)', { expires_in: '3600' }, { expires_in: 3600 }],
    ['what is no time is no time', { expires_in: 'soon' }, {}],
    ['scopes may be a list', { scope: ['a', 'b'] }, { scope: 'a b' }],
    ['the type may be left out', { token_type: undefined }, {}],
    ['no error is no error', { error: null }, {}],
  ])('%s', async (_what, said_, expected) => {
    const person = await signIn({ token: said(200, { ...TOKENS, ...said_ }) });
    const { issuer, ...tokens } = person.tokens() ?? {};
    expect(tokens).toEqual({ ...TOKENS, ...expected });
    expect(issuer).toBe(server.origin);
  });

  it('an empty refresh token keeps the stored one', async () => {
    server = await startScriptedAuthority({
      token: said(200, { access_token: 'new', token_type: 'Bearer', refresh_token: '' }),
    });
    const person = new Person({
      client: { client_id: 'known' },
      tokens: { access_token: 'old', token_type: 'Bearer', refresh_token: 'refresh' },
    });
    await challengeAt(server.mcp, oauth(person));
    expect(person.tokens()).toMatchObject({ access_token: 'new', refresh_token: 'refresh' });
  });
});

describe('a program that acts for itself', () => {
  it('needs no authorization endpoint', async () => {
    const { authorization_endpoint: _left, ...metadata } = METADATA;
    server = await startScriptedAuthority({ authority: said(200, metadata) });
    const tokens: object[] = [];
    const login = oauth({
      redirectUrl: undefined,
      clientMetadata: { redirect_uris: [] },
      clientInformation: () => ({ client_id: 'id', client_secret: 'secret' }),
      tokens: () => undefined,
      saveTokens: (saved) => void tokens.push(saved),
      redirectToAuthorization: () => {},
      saveCodeVerifier: () => {},
      codeVerifier: () => '',
      prepareTokenRequest: () => new URLSearchParams({ grant_type: 'client_credentials' }),
    });
    expect(await challengeAt(server.mcp, login)).toBe('retry');
    expect(tokens).toMatchObject([TOKENS]);
  });
});

describe('a document without required properties fails, and its error names them', () => {
  it.each<[Partial<Record<Asked, Answer>>, RegExp]>([
    [
      { authority: said(200, { ...METADATA, token_endpoint: null }) },
      /the metadata at http:\S+oauth-authorization-server: missing or wrong: token_endpoint$/,
    ],
    [
      { authority: said(200, { ...METADATA, authorization_endpoint: 'file:///bin/sh' }) },
      /missing or wrong: authorization_endpoint$/,
    ],
    [
      { authority: said(200, { ...METADATA, authorization_endpoint: 'calculator:1' }) },
      /missing or wrong: authorization_endpoint$/,
    ],
    [
      { register: said(201, { error: 'no' }) },
      /the client of http:\S+register: missing or wrong: client_id$/,
    ],
    [{ register: page }, /the client of http:\S+register: missing or wrong: client_id$/],
    [
      { register: said(400, { error: 'invalid_redirect_uri', filler: 'x'.repeat(5000) }) },
      /HTTP 400\): \{"error":"invalid_redirect_uri"/,
    ],
    [{ authority: said(200, { ...METADATA, issuer: 'ORIGIN/other' }) }, /Issuer mismatch/],
  ])('%#', async (answers, message) => {
    server = await startScriptedAuthority(answers);
    const person = new Person();
    const error = await failureOf(challengeAt(server.mcp, oauth(person)));
    expect(error).toMatchObject({ code: 'unauthorized' });
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message.length).toBeLessThan(700);
    expect(person.ledTo).toEqual([]);
  });
});
