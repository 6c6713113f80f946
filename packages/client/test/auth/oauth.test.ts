import type { OAuthDiscoveryState } from '@modelcontextprotocol/client';
import { InvalidTokenError } from '@modelcontextprotocol/sdk/server/auth/errors.js';
import { afterEach, beforeEach, describe, expect, it, vi, type MockInstance } from 'vitest';
import { oauth, type OAuth } from '../../src/auth/oauth.ts';
import { connect, type OutgoingRequest, type LongwireClient } from '../../src/index.ts';
import { failureOf } from '../support/failure-of.ts';
import { Person } from './support/person.ts';
import { startProtectedServer, type ProtectedServer } from './support/protected-server.ts';

let server: ProtectedServer;
let person: Person;
let login: OAuth;
let clients: LongwireClient[];
let warned: MockInstance;

beforeEach(async () => {
  warned = vi.spyOn(console, 'warn');
  server = await startProtectedServer();
  person = new Person();
  login = oauth(person);
  person.onCallback = (callback) => login.finish(callback);
  clients = [];
});

afterEach(async () => {
  expect(warned).not.toHaveBeenCalled();
  vi.restoreAllMocks();
  for (const client of clients) await client.close();
  await server[Symbol.asyncDispose]();
});

async function connected(): Promise<LongwireClient> {
  const client = await connect(server.url, { auth: login });
  clients.push(client);
  return client;
}

const metadataRequests = (): string[] =>
  server.requests.filter((request) => request.includes('/.well-known/'));

describe('a person who authorizes', () => {
  it('gives the program a token for this server alone', async () => {
    const client = await connected();
    expect(await client.callTool('read')).toMatchObject({ content: [{ text: 'read done' }] });
    expect(server.authority.authorizations).toEqual([
      { scopes: ['read'], resource: new URL(server.url) },
    ]);
    expect(metadataRequests(), 'what was discovered is not asked for again').toHaveLength(2);
  });

  it('authorizes once, however many connections and requests are challenged', async () => {
    const all = await Promise.all(Array.from({ length: 5 }, connected));
    expect(server.authority.authorizations).toHaveLength(1);
    server.authority.revokeTokens();
    const calls = all.flatMap((client) =>
      Array.from({ length: 10 }, () => client.callTool('read')),
    );
    await Promise.all(calls);
    expect(server.authority.authorizations).toHaveLength(2);
  });

  it('authorizes once, however often `oauth` is called for one provider', async () => {
    const logins = Array.from({ length: 3 }, () => oauth(person));
    const all = await Promise.all(logins.map((auth) => connect(server.url, { auth })));
    clients.push(...all);
    expect(server.authority.authorizations).toHaveLength(1);
    server.authority.expireTokens();
    await Promise.all(all.map((client) => client.callTool('read')));
    expect(server.authority.refreshes, 'a refresh token is good for once').toBe(1);
    expect(server.authority.authorizations).toHaveLength(1);
  });

  it('is not needed when another program with the same store refreshed first', async () => {
    const client = await connected();
    server.authority.expireTokens();
    const others = new Person(person.store);
    const other = await connect(server.url, { auth: oauth(others) });
    clients.push(other);
    await Promise.all([client.callTool('read'), other.callTool('read')]);
    expect(server.authority.authorizations).toHaveLength(1);
    expect(others.ledTo).toEqual([]);
    expect(person.tokens(), 'what the other got is kept').toBeDefined();
  });

  it('is not needed for a refresh', async () => {
    const client = await connected();
    server.authority.expireTokens();
    await Promise.all([client.callTool('read'), client.callTool('read'), client.listTools()]);
    expect(server.authority.refreshes).toBe(1);
    expect(server.authority.authorizations).toHaveLength(1);
  });

  it('authorizes a missing scope, in addition to the granted ones', async () => {
    const client = await connected();
    await Promise.all([
      client.callTool('write'),
      client.callTool('write'),
      client.callTool('read'),
    ]);
    const scopes = server.authority.authorizations.map((authorization) => authorization.scopes);
    expect(scopes).toEqual([['read'], ['read', 'write']]);
  });

  it('is not asked again for a scope that was not granted', async () => {
    server.authority.withheld.add('write');
    const client = await connected();
    for (let n = 0; n < 3; n++) {
      expect(await failureOf(client.callTool('write'))).toMatchObject({ code: 'forbidden' });
    }
    expect(server.authority.authorizations).toHaveLength(2);
    await client.callTool('read');
  });

  it('fails the request as unauthorized by a refusal', async () => {
    server.authority.refusal = 'access_denied';
    expect(await failureOf(connect(server.url, { auth: login }))).toMatchObject({
      code: 'unauthorized',
    });
    expect(server.authority.authorizations).toHaveLength(1);
  });

  it('does not authorize twice for a token that the server refuses', async () => {
    vi.spyOn(server.authority, 'verifyAccessToken').mockRejectedValue(new InvalidTokenError('no'));
    expect(await failureOf(connect(server.url, { auth: login }))).toMatchObject({
      code: 'unauthorized',
    });
    expect(server.authority.authorizations).toHaveLength(1);
  });
});

describe('a person who authorizes later', () => {
  beforeEach(() => {
    person.onCallback = undefined;
  });

  it('finishes later, and the next request succeeds', async () => {
    expect(await failureOf(connect(server.url, { auth: login }))).toMatchObject({
      code: 'unauthorized',
    });
    const [ledTo] = person.ledTo;
    const callback = await person.callbackOf(ledTo as URL);
    await login.finish(callback);
    expect(await failureOf(login.finish(callback)), 'again').toMatchObject({
      code: 'unauthorized',
    });
    await (await connected()).callTool('read');
    expect(server.authority.authorizations).toHaveLength(1);
  });

  it('finishes in a process that was not challenged, if it knows the URL', async () => {
    let kept: OAuthDiscoveryState | undefined;
    Object.assign(person, {
      discoveryState: () => kept,
      saveDiscoveryState: (state: OAuthDiscoveryState) => (kept = state),
    });
    login = oauth(person);
    await failureOf(connect(server.url, { auth: login }));
    const callback = await person.callbackOf(person.ledTo[0] as URL);
    const inOtherProcess = Object.assign(new Person(person.store), {
      discoveryState: () => kept,
      saveDiscoveryState: (state: OAuthDiscoveryState) => void (kept = state),
    });
    await expect(oauth(inOtherProcess).finish(callback)).rejects.toThrow(TypeError);
    login = oauth(inOtherProcess, { url: server.url });
    await login.finish(callback);
    await (await connected()).callTool('read');
  });

  it.each([
    ['what somebody else began', 'state', 'state-0'],
    ['with the word of another authorization server', 'iss', 'https://elsewhere.example'],
  ])('cannot finish %s', async (_what, name, value) => {
    await failureOf(connect(server.url, { auth: login }));
    const callback = await person.callbackOf(person.ledTo[0] as URL);
    callback.set(name, value);
    expect(await failureOf(login.finish(callback))).toMatchObject({ code: 'unauthorized' });
    expect(person.tokens()).toBeUndefined();
  });
});

describe('parallel challenges', () => {
  const attemptOf = (): OutgoingRequest => ({
    method: 'POST',
    url: new URL(server.url),
    transport: 'streamable-http',
    attempt: 1,
    internal: false,
  });
  const challenge = (status: 401 | 403, said: string, attempt: OutgoingRequest): Promise<string> =>
    login.onChallenge(status, { 'www-authenticate': `Bearer ${said}` }, attempt);

  it('open the browser once, even if nothing comes of it', async () => {
    person.onCallback = undefined;
    const challenges = Array.from({ length: 5 }, () => challenge(401, 'scope="read"', attemptOf()));
    expect(new Set(await Promise.all(challenges))).toEqual(new Set(['fail']));
    expect(person.ledTo).toHaveLength(1);
  });

  it('wait for each other if they differ, and then use the new token', async () => {
    const outcomes = await Promise.all([
      challenge(401, 'scope="read"', attemptOf()),
      challenge(403, 'error="insufficient_scope", scope="write"', attemptOf()),
    ]);
    expect(outcomes).toEqual(['retry', 'retry']);
    expect(server.authority.authorizations).toHaveLength(1);
  });

  it('start no flow for a token that was replaced', async () => {
    await challenge(401, 'scope="read"', attemptOf());
    const [one, other] = [attemptOf(), attemptOf()];
    await Promise.all([login.headers(one), login.headers(other)]);
    expect(await challenge(401, 'scope="read"', one)).toBe('retry');
    expect(await challenge(401, 'scope="read"', other)).toBe('retry');
    expect(server.authority.refreshes).toBe(1);
  });
});

describe('what OAuth does not support', () => {
  it('is a 403 for another reason than scope', async () => {
    const attempt = {
      method: 'POST',
      url: new URL(server.url),
      transport: undefined,
      attempt: 1,
      internal: true,
    } as const;
    expect(await login.onChallenge(403, {}, attempt)).toBe('fail');
    expect(server.requests).toEqual([]);
  });

  it('is a provider that binds its tokens to a key', () => {
    const provider = Object.assign(new Person(), { dpop: () => undefined });
    expect(() => oauth(provider)).toThrow('provider.dpop: not supported');
  });
});
