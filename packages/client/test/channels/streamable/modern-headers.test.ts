import { PROTOCOL_VERSION_META_KEY } from '@modelcontextprotocol/client';
import { describe, expect, it } from 'vitest';
import { ModernHeaders } from '../../../src/channels/streamable/modern-headers.ts';

const request = (method: string, params: Record<string, unknown> = {}) =>
  new ModernHeaders({}).of({
    jsonrpc: '2.0',
    id: 1,
    method,
    params: { ...params, _meta: { [PROTOCOL_VERSION_META_KEY]: '2026-07-28' } },
  });

describe('ModernHeaders', () => {
  it.each([
    ['tools/call', { name: 'echo' }, 'echo'],
    ['prompts/get', { name: 'greet' }, 'greet'],
    ['resources/read', { uri: 'file:///a%20b.txt' }, 'file:///a%20b.txt'],
    ['tools/list', { name: 'not a name here' }, undefined],
    ['tools/call', { name: 5 }, undefined],
    ['constructor', { name: 'x' }, undefined],
  ])('repeat version, method and name of %s', (method, params, name) => {
    expect(request(method, params)).toEqual({
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(name !== undefined && { 'mcp-name': name }),
    });
  });

  it.each(['Grüße', '', ' a', 'a ', 'a\nb', '=?base64?eA==?='])('encode %j', (name) => {
    const value = request('tools/call', { name })['mcp-name'] ?? '';
    const [, encoded] = /^=\?base64\?(.*)\?=$/.exec(value) ?? [];
    expect(Buffer.from(encoded ?? '', 'base64').toString()).toBe(name);
  });

  it('keep inner blanks and tabs', () => {
    expect(request('tools/call', { name: 'a b\tc' })['mcp-name']).toBe('a b\tc');
  });

  it('repeat nothing of an answer', () => {
    expect(new ModernHeaders({}).of({ jsonrpc: '2.0', id: 1, result: {} })).toEqual({});
  });
});
