import { describe, expect, test } from 'vitest';
import { fromEnvironment } from '../../src/config/index.ts';

describe('a server of the environment', () => {
  test('has all that the variables say', () => {
    const env = {
      MARKET_URL: ' http://h/mcp ',
      MARKET_TOKEN: 't0ken',
      MARKET_USER_AGENT: 'it/1',
      MARKET_TIMEOUT: '2.5',
      MARKET_KEEP_ALIVE: 'false',
      MARKET_HEADERS: '{"X-Tenant": "a"}',
      OTHER_URL: 'http://other',
    };
    const expected = {
      target: 'http://h/mcp',
      options: {
        headers: { authorization: 'Bearer t0ken', 'user-agent': 'it/1', 'x-tenant': 'a' },
        timeouts: { connectMs: 2500, callMs: 2500 },
        keepAlive: false,
      },
    };
    expect(fromEnvironment('MARKET', env)).toEqual(expected);
    expect(fromEnvironment('MARKET_', env)).toEqual(expected);
  });

  test('has nothing else than its URL where nothing else is set, or set to nothing', () => {
    const env = { A_URL: 'http://h', A_TOKEN: ' ', A_HEADERS: '', A_KEEP_ALIVE: '', B_TOKEN: 'x' };
    expect(fromEnvironment('A', env)).toEqual({ target: 'http://h', options: {} });
  });

  test('has headers in lines, over the token', () => {
    const env = {
      A_URL: 'http://h',
      A_TOKEN: 'x',
      A_HEADERS: 'X-One: 1:2\r\n\n authorization : Basic y',
    };
    expect(fromEnvironment('A', env).options.headers).toEqual({
      'x-one': '1:2',
      authorization: 'Basic y',
    });
  });

  test.each([
    [{ A_URL: undefined }, /^A_URL is not set/],
    [{ A_URL: 'h' }, /^A_URL: "h" is not a URL/],
    [{ A_URL: 'ftp://u:s3cret@h' }, /^A_URL: "ftp:\/\/h" is not an http or https URL/],
    [{ A_TOKEN: 's3cret\nx' }, /^A_TOKEN: the value of authorization has characters/],
    [{ A_TIMEOUT: '5s' }, /^A_TIMEOUT: not a number of seconds above 0/],
    [{ A_TIMEOUT: '0' }, /^A_TIMEOUT: /],
    [{ A_KEEP_ALIVE: 'yes' }, /^A_KEEP_ALIVE: none of true, 1, false, 0/],
    [{ A_HEADERS: '{"x": s3cret}' }, /^A_HEADERS: begins like JSON and is none/],
    [{ A_HEADERS: '{"x": 1}' }, /^A_HEADERS: the value of x is number/],
    [{ A_HEADERS: '{"x": ""}' }, /^A_HEADERS: x is empty/],
    [{ A_HEADERS: 's3cret' }, /^A_HEADERS: neither a JSON object nor lines/],
    [{ A_HEADERS: 'Host: h' }, /^A_HEADERS: Host is set by the HTTP layer/],
  ])('%j: an error that names the variable and shows no secret', (env, message) => {
    let error: unknown;
    try {
      fromEnvironment('A', { A_URL: 'http://h', ...env });
    } catch (caught) {
      error = caught;
    }
    expect(error).toMatchObject({ code: 'config', certainty: 'not-sent' });
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).not.toContain('s3cret');
  });
});
