import { describe, expect, it } from 'vitest';
import { ACCEPT_ENCODING } from '../../src/http/content-coding.ts';
import { checkHeaders, headerSource } from '../../src/http/headers.ts';
import type { HeadersOption } from '../../src/options/channel-options.ts';
import { VERSION } from '../../src/version.ts';

describe('checkHeaders', () => {
  it('puts names in lower case', () => {
    expect(checkHeaders({ 'X-Trace': 'a', Authorization: 'b' })).toEqual({
      'x-trace': 'a',
      authorization: 'b',
    });
  });

  it.each(['Host', 'content-length', 'Connection', 'Transfer-Encoding', 'upgrade', 'TE'])(
    'refuses %s, which is the HTTP layer’s',
    (name) => {
      expect(() => checkHeaders({ [name]: 'x' })).toThrowError(TypeError);
    },
  );

  it('names a header with a wrong value, and does not show the value', () => {
    const secret = 'top\r\nsecret';
    try {
      checkHeaders({ 'x-key': secret });
      expect.unreachable();
    } catch (error) {
      expect((error as Error).message).toContain('x-key');
      expect((error as Error).message).not.toContain('secret');
    }
    expect(() => checkHeaders({ 'x-key': undefined as unknown as string })).toThrowError(/x-key/);
    expect(() => checkHeaders({ 'no spaces': 'x' })).toThrowError(/no spaces/);
  });
});

describe('headerSource', () => {
  const outgoing = {
    method: 'GET' as const,
    url: new URL('http://h/'),
    transport: undefined,
    attempt: 1,
    internal: true,
  };

  it('lets the program’s own authorization win', async () => {
    const mine = headerSource({ headers: { Authorization: 'mine' }, authorization: 'default' });
    expect(mine).toMatchObject({ authorization: 'mine' });
    expect(headerSource({ authorization: 'default' })).toMatchObject({ authorization: 'default' });
  });

  it('adds the user agent and the accepted codings, unless the program does', async () => {
    expect(headerSource({})).toEqual({
      'user-agent': `longwire/${VERSION}`,
      'accept-encoding': ACCEPT_ENCODING,
    });
    const own = { 'user-agent': 'mine/1', 'accept-encoding': 'identity' };
    expect(
      headerSource({ headers: { 'User-Agent': 'mine/1', 'Accept-Encoding': 'identity' } }),
    ).toEqual(own);
  });

  it.each<[string, HeadersOption]>([
    ['a record', { 'x-tenant': 'a', authorization: 'mine' }],
    ['a function', () => ({ 'x-tenant': 'a', authorization: 'mine' })],
  ])(
    'adds the credentials of auth to headers that are %s, and lets them win',
    async (_, headers) => {
      const source = headerSource({ headers, auth: () => ({ Authorization: 'Bearer token' }) });
      if (typeof source !== 'function') return expect.unreachable();
      expect(await source(() => outgoing)).toMatchObject({
        'x-tenant': 'a',
        authorization: 'Bearer token',
        'user-agent': `longwire/${VERSION}`,
      });
    },
  );

  it('fails a request whose function fails, with a typed error', async () => {
    const source = headerSource({ headers: () => Promise.reject(new Error('no token')) });
    if (typeof source !== 'function') return expect.unreachable();
    await expect(source(() => outgoing)).rejects.toMatchObject({
      code: 'config',
      certainty: 'not-sent',
    });
  });
});
