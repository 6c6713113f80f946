import { describe, expect, test } from 'vitest';
import { inheritHeaders } from '../../src/config/index.ts';

describe('headers of an incoming request', () => {
  const incoming = Object.freeze({
    Authorization: 'Bearer x',
    'X-Tenant': Object.freeze(['a', 'b']),
    'x-request-id': '1',
    HOST: 'h',
    Connection: 'keep-alive, X-Hop',
    'X-Hop': 'y',
    'Keep-Alive': '5',
    TE: 'trailers',
    'Transfer-Encoding': 'chunked',
    Upgrade: 'websocket',
    'Content-Type': 'text/plain',
    'content-length': '3',
    Accept: '*/*',
    'Accept-Language': 'pt',
    Cookie: 'c=1',
    'Set-Cookie': Object.freeze(['c=1']),
    'proxy-authorization': 'z',
    missing: undefined,
    empty: ' ',
    broken: 'a\nb',
  });

  test('pass where they are allowed, in any letter case', () => {
    expect(inheritHeaders(incoming, ['AUTHORIZATION', 'x-tenant', 'x-tenant', 'absent'])).toEqual({
      authorization: 'Bearer x',
      'x-tenant': 'a, b',
    });
    expect(inheritHeaders(incoming, [])).toEqual({});
  });

  test('never pass where they are of the one connection, body or browser', () => {
    expect(inheritHeaders(incoming, Object.keys(incoming))).toEqual({
      authorization: 'Bearer x',
      'x-tenant': 'a, b',
      'x-request-id': '1',
    });
  });

  test('may be those of fetch', () => {
    const headers = new Headers({ 'X-Tenant': 'a', Cookie: 'c' });
    headers.append('x-tenant', 'b');
    const before = [...headers];
    expect(inheritHeaders(headers, ['X-TENANT', 'cookie'])).toEqual({ 'x-tenant': 'a, b' });
    expect([...headers]).toEqual(before);
  });

  test('of two spellings are one', () => {
    expect(inheritHeaders({ 'X-A': '1', 'x-a': '2' }, ['x-a'])).toEqual({ 'x-a': '1, 2' });
  });
});
