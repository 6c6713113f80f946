import { describe, expect, it } from 'vitest';
import { ACCEPT_ENCODING } from '../../src/channels/content-coding.ts';
import { checkHeaders, headerSource } from '../../src/channels/headers.ts';
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
  it('lets the program’s own authorization win', async () => {
    const mine = headerSource({ Authorization: 'mine' }, 'default');
    expect(mine).toMatchObject({ authorization: 'mine' });
    expect(headerSource({}, 'default')).toMatchObject({ authorization: 'default' });
  });

  it('says who asks and what can be decoded, unless the program does', async () => {
    expect(headerSource({})).toEqual({
      'user-agent': `longwire/${VERSION}`,
      'accept-encoding': ACCEPT_ENCODING,
    });
    const own = { 'user-agent': 'mine/1', 'accept-encoding': 'identity' };
    expect(headerSource({ 'User-Agent': 'mine/1', 'Accept-Encoding': 'identity' })).toEqual(own);
  });

  it('fails an attempt whose function fails, with a typed error', async () => {
    const source = headerSource(() => Promise.reject(new Error('no token')));
    if (typeof source !== 'function') return expect.unreachable();
    const attempt = {
      method: 'GET' as const,
      url: new URL('http://h/'),
      dialect: undefined,
      attempt: 1,
      internal: true,
    };
    await expect(source(attempt)).rejects.toMatchObject({ code: 'config', certainty: 'not-sent' });
  });
});
