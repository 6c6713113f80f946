import { describe, expect, it } from 'vitest';
import { isAllowedHost, parseHostRule } from '../../src/guard/allowed-hosts.ts';
import { serving, stream } from '../fixture.ts';

describe('the port of a host', () => {
  it.each([
    ['example.com:80', 'http', 'example.com', true],
    ['example.com:80', 'http', 'example.com:80', true],
    ['example.com:443', 'https', 'example.com', true],
    ['[::1]:80', 'http', '[::1]', true],
    ['example.com', 'http', 'example.com', true],
    ['example.com:443', 'http', 'example.com', false],
    ['example.com:80', 'https', 'example.com', false],
    ['example.com:8080', 'http', 'example.com', false],
    ['example.com:80', 'http', 'example.com:8080', false],
    ['example.com:80', 'http', 'other.example', false],
    ['example.com:80', '__proto__', 'example.com', false],
  ])('by the rule %s, over %s, lets %s in: %s', (rule, protocol, host, expected) => {
    expect(isAllowedHost(host, protocol, [parseHostRule(rule)])).toBe(expected);
  });

  it('is that of the protocol when a request does not name it', async () => {
    const { url } = await serving({ allowedHosts: ['example.com:80'] });
    expect((await stream(url, { host: 'example.com' })).statusCode).toBe(200);
    expect((await stream(url, { host: 'example.com:81' })).statusCode).toBe(403);
  });
});
