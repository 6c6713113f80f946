import { describe, expect, it } from 'vitest';
import { networkOf } from '../src/sessions.ts';
import { endpointOf, serving, stream } from './fixture.ts';

describe('sessions of one address', () => {
  it('are no more than the limit, and one that ends makes room', async () => {
    const { url, samples } = await serving({ maxSessionsPerAddress: 2 });
    const first = await stream(url);
    await endpointOf(first, url);
    await endpointOf(await stream(url), url);
    const refused = await stream(url);
    expect(refused.statusCode).toBe(429);
    expect(refused.headers['retry-after']).toBe('5');
    first.close();
    await samples[0]!.closed;
    const again = await stream(url);
    expect(again.statusCode).toBe(200);
    await endpointOf(again, url);
  });

  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:10.0.0.7', '10.0.0.7'],
    ['2001:db8:1:2:3:4:5:6', '8193:3512:1:2'],
    ['2001:0db8:0001:0002::9', '8193:3512:1:2'],
    ['2001:db8::1', '8193:3512:0:0'],
    ['fe80::1%eth0', '65152:0:0:0'],
    ['::1', '0:0:0:0'],
  ])('%s counts as %s', (ip, network) => {
    expect(networkOf(ip)).toBe(network);
  });
});
