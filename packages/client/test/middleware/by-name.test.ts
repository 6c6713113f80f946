import { describe, expect, it } from 'vitest';
import { builtIns, byName, type Logger } from '../../src/middleware/index.ts';
import { around } from './support/around.ts';

const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {} };

describe('a middleware by name', () => {
  it.each<[string, object]>([
    ['apiKey', { key: 'k', header: 'x-key' }],
    ['basic', { user: 'u', password: 'p' }],
    ['bearer', { token: 't' }],
    ['cache', { ttlMs: 5000, tools: { 'get_*': true } }],
    ['logging', { level: 'debug' }],
    ['metrics', { maxTools: 5 }],
    ['otelMetrics', { sizes: false }],
    ['rateLimit', { perSecond: 5 }],
    ['requestId', {}],
    ['retry', { maxAttempts: 2 }],
    ['timeout', { tools: { slow: 1000 } }],
    ['tracing', {}],
  ])('%s is made of its options', async (name, options) => {
    const rig = around(await byName(name, { ...options }, { logger: quiet }));
    expect((await rig.call('echo')).result['content']).toHaveLength(1);
  });

  it('does what its options say', async () => {
    const rig = around([
      await byName('bearer', { token: 't' }),
      await byName('apiKey', { key: 'k', header: 'x-key' }),
    ]);
    await rig.call('echo');
    expect(rig.asked[0]?.headers).toEqual({ authorization: 'Bearer t', 'x-key': 'k' });
  });

  it.each([
    ['cahce', {}, 'Did you mean cache?'],
    ['rate-limit', {}, 'Did you mean rateLimit'],
    ['xyzzy', {}, 'There are apiKey, basic, bearer'],
    ['toString', {}, 'is no middleware'],
    ['bearer', {}, 'bearer.token'],
    ['bearer', { token: 't', scheme: 'x' }, 'bearer.scheme: no such option'],
    ['basic', { user: 'u', pass: 'p' }, 'basic.pass: no such option; there are user, password'],
    ['apiKey', { header: 'x' }, 'apiKey.key'],
    ['cache', { ttl: 1 }, 'cache.ttl: no such option'],
    ['retry', { retryOn: 'always' }, 'retry.retryOn: not a function'],
    ['logging', {}, 'nothing to log to'],
    ['cache', [], 'cache: not an object'],
    ['bearer', null, 'bearer: not an object'],
    ['apiKey', null, 'apiKey: not an object'],
  ])('%s with %j is refused: %s', async (name, options, message) => {
    const make = () => byName(name, options as Record<string, unknown>);
    await expect(make()).rejects.toThrow(TypeError);
    await expect(make()).rejects.toThrow(message);
  });

  it('all of them are in one table', () => {
    expect(builtIns().bearer({ token: 't' })).toBeTypeOf('function');
    expect(Object.keys(builtIns())).toHaveLength(12);
  });
});
