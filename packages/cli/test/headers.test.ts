import { describe, expect, it } from 'vitest';
import { parseHeaders, requestHeaders } from '../src/headers.ts';

describe('parseHeaders', () => {
  it('reads names, values and colons within them; the last of a name counts', () => {
    expect(parseHeaders(['X-One: a:b', 'Authorization:  Basic x ', 'x-one: 2', 'Empty:'])).toEqual({
      'x-one': '2',
      authorization: 'Basic x',
      empty: '',
    });
  });

  it('refuses what HTTP does not allow, and does not repeat the value', () => {
    for (const word of ['Host: secretvalue', 'Content-Length: 1', 'a b: c', 'x-a: secret\nvalue']) {
      expect(() => parseHeaders([word])).toThrow(/^--header/);
      expect(() => parseHeaders([word])).not.toThrow(/secret/);
    }
  });

  it('refuses what has no name, and does not repeat it', () => {
    for (const word of ['secretvalue', ': secretvalue']) {
      expect(() => parseHeaders([word])).toThrow(/Name: value/);
      expect(() => parseHeaders([word])).not.toThrow(/secretvalue/);
    }
  });
});

describe('requestHeaders', () => {
  const at = (
    url: string,
    transport?: 'sse' | 'tool-events',
  ): Parameters<ReturnType<typeof requestHeaders>>[0] => ({
    method: 'GET',
    url: new URL(url),
    transport,
    attempt: 1,
    internal: true,
  });
  const own = { apiKey: 'k', serverOrigin: 'http://h:1' };

  it('sends the key by both names until the transport is known, then by its own', () => {
    const headers = requestHeaders({ headers: {}, ...own });
    expect(headers(at('http://h:1/sse'))).toEqual({ authorization: 'Bearer k', api_key: 'k' });
    expect(headers(at('http://h:1/m', 'sse'))).toEqual({ authorization: 'Bearer k' });
    expect(headers(at('http://h:1/sse', 'tool-events'))).toEqual({ api_key: 'k' });
  });

  it.each(['http://h:2/sse', 'https://h:1/sse', 'http://other:1/sse', 'http://h.evil:1/sse'])(
    'sends no key to %s',
    (url) => {
      expect(requestHeaders({ headers: { a: '1' }, ...own })(at(url))).toEqual({ a: '1' });
    },
  );

  it('sends no key where no server is set', () => {
    const headers = requestHeaders({ headers: {}, apiKey: 'k', serverOrigin: undefined });
    expect(headers(at('http://h:1/sse'))).toEqual({});
  });

  it('leaves a header that was given as it is', () => {
    const headers = requestHeaders({ headers: { authorization: 'Basic x' }, ...own });
    expect(headers(at('http://h:1/sse'))).toEqual({ authorization: 'Basic x', api_key: 'k' });
  });

  it('tells by what a request shows who asks', () => {
    const told: unknown[] = [];
    const onRequest = (_: unknown, credentials: unknown): void => void told.push(credentials);
    requestHeaders({ headers: {}, ...own, onRequest })(at('http://h:1/sse'));
    requestHeaders({ headers: {}, ...own, onRequest })(at('http://h:2/sse'));
    requestHeaders({ headers: { 'x-a': '1' }, onRequest })(at('http://h:1/sse'));
    requestHeaders({ headers: { cookie: 'a' }, ...own, onRequest })(at('http://h:1/sse'));
    expect(told).toEqual(['key', 'key-withheld', 'none', 'header']);
  });

  it('refuses a key that no header may hold, without showing it', () => {
    const make = (): unknown => requestHeaders({ headers: {}, ...own, apiKey: 'se\ncret' });
    expect(make).toThrow(/MCP_API_KEY/);
    expect(make).not.toThrow(/cret/);
  });
});
