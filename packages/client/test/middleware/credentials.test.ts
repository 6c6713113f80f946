import { describe, expect, it } from 'vitest';
import { apiKey, basic, bearer } from '../../src/middleware/index.ts';
import { failureOf } from '../support/failure-of.ts';
import { around } from './support/around.ts';

describe('credentials', () => {
  it.each([
    ['bearer', bearer('t-1'), 'authorization', 'Bearer t-1'],
    ['bearer of a function', bearer(() => 't-2'), 'authorization', 'Bearer t-2'],
    ['bearer of a promise', bearer(() => Promise.resolve('t-3')), 'authorization', 'Bearer t-3'],
    ['apiKey', apiKey('k'), 'x-api-key', 'k'],
    ['apiKey in another header', apiKey('k', { header: 'Api_Key' }), 'api_key', 'k'],
    ['basic', basic('user', 'pass:wörd'), 'authorization', 'Basic dXNlcjpwYXNzOnfDtnJk'],
  ])(
    '%s goes with every request, the handshake included',
    async (_name, middleware, key, value) => {
      const rig = around(middleware);
      await rig.send('initialize', { internal: true }).response;
      await rig.call('echo');
      expect(rig.asked.map(({ headers }) => headers)).toEqual([{ [key]: value }, { [key]: value }]);
    },
  );

  it.each([bearer('t'), bearer(() => 't'), basic('u', 'p')])(
    'a request keeps its own',
    async (middleware) => {
      const rig = around(middleware);
      await rig.call('echo', {}, { headers: { authorization: 'mine' } });
      expect(rig.asked[0]?.headers).toEqual({ authorization: 'mine' });
    },
  );

  it('a function is asked for every request, one that is sent again included', async () => {
    let count = 0;
    const rig = around([
      async (_request, next) => {
        await next();
        return next();
      },
      bearer(() => `t${++count}`),
    ]);
    await rig.call('echo');
    await rig.call('echo');
    expect(rig.asked.map(({ headers }) => headers['authorization'])).toEqual([
      'Bearer t1',
      'Bearer t2',
      'Bearer t3',
      'Bearer t4',
    ]);
  });

  it.each([
    ['fails', () => Promise.reject(new Error('vault is sealed')), 'vault is sealed'],
    ['gives none', () => '', 'gave none'],
    ['gives what HTTP cannot carry', () => 'a\nb', 'cannot be sent'],
  ])('a function that %s fails the request, which is not sent', async (_how, source, message) => {
    const rig = around(bearer(source));
    const error = await failureOf(rig.call('echo'));
    expect(error).toMatchObject({ code: 'unauthorized', certainty: 'not-sent' });
    expect(error.message).toContain(message);
    expect(rig.asked).toEqual([]);
  });

  it('what cannot be sent is refused at once, and a secret is never shown', () => {
    expect(() => bearer('')).toThrow('bearer.token: not a string with something in it');
    expect(() => bearer(undefined as unknown as string)).toThrow(TypeError);
    expect(() => bearer('geheim\n')).toThrow(/^(?!.*geheim).*authorization/);
    expect(() => apiKey('k', { header: 'host' })).toThrow('host');
    expect(() => apiKey('k', { heder: 'x' } as object)).toThrow('apiKey.heder: no such option');
    expect(() => basic('a:b', 'p')).toThrow('basic.user');
    expect(() => basic('a', undefined as unknown as string)).toThrow('basic.password');
  });
});
