import { describe, expect, it } from 'vitest';
import { endpointOf, serving, stream } from './fixture.ts';

describe('sessions of one address', () => {
  it('are no more than the limit, and one that ends makes room', async () => {
    const { url, samples } = await serving({ maxSessionsPerAddress: 2, resumeMs: 1 });
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
});
