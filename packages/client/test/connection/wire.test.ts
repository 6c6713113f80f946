import { describe, expect, it } from 'vitest';
import { requestContext, type RequestContext } from '../../src/connection/request-context.ts';
import type { LedgerEntry, LedgerRequest } from '../../src/connection/ledger.ts';
import { progressFor, progressOf, requestOnWire } from '../../src/connection/wire.ts';

const entry = (request: LedgerRequest, context: Partial<RequestContext> = {}): LedgerEntry => ({
  id: 7,
  request,
  context: { certainty: 'not-sent', ...context },
  waiter: { answered: () => {}, failed: () => {} },
  assigned: false,
  onWire: false,
  priorCertainty: 'not-sent',
  losses: 0,
  repeats: 0,
  returns: 0,
  doubts: 0,
  held: undefined,
  drain: undefined,
});

const onWire = (entry: LedgerEntry) => requestOnWire(entry, undefined);

describe('a request on the wire', () => {
  it('asks for progress of a call of ours, under its own id', () => {
    const params = { name: 'echo', _meta: { trace: 'abc' } };
    const call = entry({ method: 'tools/call', params }, { onProgress: () => {} });
    expect(onWire(call)).toEqual({
      jsonrpc: '2.0',
      id: 7,
      method: 'tools/call',
      params: { name: 'echo', _meta: { trace: 'abc', progressToken: 7 } },
    });
    expect(params).toEqual({ name: 'echo', _meta: { trace: 'abc' } });
  });

  it('replaces a token that the program gave, and gives it back with the progress', () => {
    const request = { method: 'x', params: { _meta: { progressToken: 'mine' } } };
    expect(onWire(entry(request)).params?._meta?.progressToken).toBe(7);
    const message = {
      jsonrpc: '2.0' as const,
      method: 'notifications/progress',
      params: { progressToken: 7, progress: 1 },
    };
    expect(progressFor(entry(request), message)?.params).toEqual({
      progressToken: 'mine',
      progress: 1,
    });
  });

  it('asks for progress only if it is wanted', () => {
    expect(onWire(entry({ method: 'ping' }))).toEqual({
      jsonrpc: '2.0',
      id: 7,
      method: 'ping',
    });
    const listing = entry({ method: 'tools/list', params: {} }, { onProgress: () => {} });
    expect(onWire(listing).params).toEqual({});
  });

  it('carries the envelope in the modern era, and keeps the members of the program', () => {
    const envelope = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' };
    const request = { method: 'tools/call', params: { name: 'a', _meta: { trace: 'abc' } } };
    expect(requestOnWire(entry(request, { onProgress: () => {} }), envelope).params).toEqual({
      name: 'a',
      _meta: { ...envelope, trace: 'abc', progressToken: 7 },
    });
    expect(requestOnWire(entry({ method: 'tools/list' }), envelope).params).toEqual({
      _meta: envelope,
    });
  });

  it('leaves out in the legacy era what a client of the modern era has added', () => {
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'me' },
      'io.modelcontextprotocol/clientCapabilities': {},
      trace: 'abc',
    };
    const { params } = onWire(entry({ method: 'resources/read', params: { uri: 'x', _meta } }));
    expect(params).toEqual({ uri: 'x', _meta: { trace: 'abc' } });
  });

  it('never shows a context', () => {
    const params = { name: 'a', [requestContext]: { certainty: 'not-sent' } };
    expect(JSON.stringify(onWire(entry({ method: 'tools/call', params })))).toBe(
      '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a"}}',
    );
  });
});

describe('progressOf', () => {
  it('accepts only a progress with a number', () => {
    const notification = (params: Record<string, unknown>) => ({
      jsonrpc: '2.0' as const,
      method: 'notifications/progress',
      params: { progressToken: 7, ...params },
    });
    expect(progressOf(notification({ progress: 1, total: 2, message: 'half' }))).toEqual({
      progress: 1,
      total: 2,
      message: 'half',
    });
    expect(progressOf(notification({ progress: 'half' }))).toBeUndefined();
    expect(progressOf(notification({}))).toBeUndefined();
  });
});
