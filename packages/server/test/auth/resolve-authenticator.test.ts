import { describe, expect, it } from 'vitest';
import type { Authenticate } from '../../src/auth/authenticator.ts';
import { resolveAuthenticator } from '../../src/auth/resolve-authenticator.ts';
import { RefusedError } from '../../src/refusal.ts';
import { CountingStore, ask, serveApp } from './app.ts';

describe('a function that authenticates', () => {
  it('names the principal', async () => {
    const { url, refusals } = await serveApp({
      auth: async ({ headers }) => ({ id: `user:${String(headers['x-user'])}` }),
    });
    const answer = await ask(url, { 'x-user': 'ada' });
    expect([answer.status, answer.text]).toEqual([200, '{"id":"user:ada"}']);
    expect(refusals()).toEqual([]);
  });

  it.each<[string, () => never]>([
    [
      'an error',
      () => {
        throw new Error('no such user');
      },
    ],
    [
      'a defect of its own',
      () => {
        throw new TypeError('x is undefined');
      },
    ],
    [
      'no error',
      () => {
        throw 'nothing' as unknown as Error;
      },
    ],
  ])('answers 401 when it throws %s, whose text only the log has', async (_what, auth) => {
    const { url, refusals } = await serveApp({ auth });
    const answer = await ask(url);
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, 'Bearer']);
    expect(answer.text).not.toMatch(/user|undefined|nothing/);
    expect(refusals()).toMatchObject([
      { status: 401, reason: expect.stringMatching(/^auth threw /) },
    ]);
  });

  it('may throw a credential, which the log does not have', async () => {
    const { url, lines } = await serveApp({
      auth: ({ headers }) => {
        throw new Error(
          `unknown ${headers.authorization} in ${headers.cookie} ${String(headers['x-auth-token'])}`,
        );
      },
    });
    const secrets = {
      authorization: 'Bearer s3cr3t-a',
      cookie: 'sid=s3cr3t-b; x=1',
      'x-auth-token': 's3cr3t-c',
    };
    expect((await ask(url, secrets)).status).toBe(401);
    expect(JSON.stringify(lines)).toContain('unknown Bearer ***');
    expect(JSON.stringify(lines)).not.toContain('s3cr3t');
  });

  it('answers as it says when it throws a refusal', async () => {
    const refusal = {
      status: 402,
      code: -32_000,
      message: 'pay first',
      headers: { 'x-why': 'bill' },
    };
    const { url, refusals } = await serveApp({
      auth: async () => {
        throw new RefusedError(refusal);
      },
    });
    const answer = await ask(url);
    expect([answer.status, answer.headers['x-why']]).toEqual([402, 'bill']);
    expect(answer.text).toContain('pay first');
    expect(refusals()).toMatchObject([{ status: 402, reason: 'refused by auth' }]);
  });

  it.each<[unknown, RegExp]>([
    [undefined, /returned undefined/],
    [null, /returned null/],
    [true, /returned boolean/],
    ['ada', /returned string/],
    [{}, /whose id/],
    [{ id: 7 }, /whose id/],
    [{ id: '' }, /whose id/],
    [{ id: 'a\nb' }, /whose id/],
    [{ id: 'x'.repeat(513) }, /whose id/],
    [{ id: 'ada', authInfo: 'token' }, /authInfo is not/],
    [{ id: 'ada', authInfo: { token: 't', scopes: [] } }, /token or clientId/],
    [{ id: 'ada', authInfo: { token: 't', clientId: 'c', scopes: 'a b' } }, /authInfo.scopes/],
  ])('that returns %j is answered with 500, and the log says why', async (value, reason) => {
    const { url, refusals } = await serveApp({ auth: (() => value) as Authenticate });
    const answer = await ask(url, { authorization: 'Bearer x' });
    expect(answer.status).toBe(500);
    expect(answer.text).toContain('the log of the server says why');
    expect(refusals()).toMatchObject([{ level: 50, reason: expect.stringMatching(reason) }]);
  });

  it('may be tried too often, too, wherever it reads the credential', async () => {
    const { url } = await serveApp({
      auth: ({ headers }) => {
        if (headers['x-team-token'] === 'right') return { id: 'team' };
        throw new Error('wrong');
      },
      rates: new CountingStore(),
      attempts: { max: 2, windowMs: 60_000 },
    });
    for (const token of ['a', 'b']) {
      expect((await ask(url, { 'x-team-token': token })).status).toBe(401);
    }
    expect((await ask(url, { 'x-team-token': 'right' })).status).toBe(429);
  });
});

it('lets in whoever comes where nothing is said', async () => {
  const { url } = await serveApp();
  expect((await ask(url, { authorization: 'Bearer x' })).text).toBe('{"id":"anonymous"}');
});

it('takes nothing else for an authenticator', () => {
  for (const value of [null, 'secret', {}, { authenticate: 'x' }, []]) {
    expect(() => resolveAuthenticator(value as unknown as Authenticate)).toThrow(/^auth must be/);
  }
});
