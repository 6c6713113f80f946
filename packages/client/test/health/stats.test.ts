import { describe, expect, it } from 'vitest';
import { startStreamable } from '../../../../test/support/streamable-fixture.ts';
import { until } from '../../../../test/support/until.ts';
import { failureOf } from '../support/failure-of.ts';
import { atTheEndOfEachTest, quick, said } from '../support/recovery.ts';
import { createClient } from '../../src/index.ts';

const { setUp, client: makeClient, closeLater, serve } = atTheEndOfEachTest();

describe('the stats of a client', () => {
  it('is nothing before anything was asked', () => {
    const stats = makeClient('http://127.0.0.1:9/').stats();
    expect(stats).toMatchObject({
      reconnects: 0,
      messages: { sent: 0, received: 0 },
      bytes: { sent: 0, received: 0 },
      calls: { succeeded: 0, toolErrors: 0, inFlight: 0 },
      tools: {},
      droppedAnswers: 0,
    });
    expect(Object.values(stats.calls.failed).every((count) => count === 0)).toBe(true);
    const { connectedSince, lastActivityAt, lastError, lastSuccessAt } = stats;
    expect([connectedSince, lastActivityAt, lastError, lastSuccessAt]).toEqual(
      Array(4).fill(undefined),
    );
  });

  it('counts calls by what became of them', async () => {
    const { client } = await setUp();
    for (const message of ['a', 'b', 'c']) await client.callTool('echo', { message });
    await client.callTool('fail');
    await failureOf(client.callTool('none'));
    await failureOf(client.callTool('hang', {}, { timeoutMs: 20 }));
    const aborting = new AbortController();
    const hanging = client.callTool('hang', {}, { signal: aborting.signal });
    expect(client.stats().calls.inFlight).toBe(1);
    aborting.abort();
    const { message } = await failureOf(hanging);
    const { calls, tools, lastError, lastSuccessAt } = client.stats();
    expect(calls).toMatchObject({ succeeded: 3, toolErrors: 1, inFlight: 0 });
    const failed = Object.entries(calls.failed).filter(([, count]) => count > 0);
    expect(Object.fromEntries(failed)).toEqual({ 'server-error': 1, timeout: 1, aborted: 1 });
    expect(Object.keys(tools)).toEqual(['echo', 'fail']);
    expect(tools['echo']?.calls).toBe(3);
    const { p50Ms = 0, p95Ms = 0, p99Ms = 0 } = tools['echo'] ?? {};
    expect(p50Ms).toBeGreaterThan(0);
    expect([p50Ms, p95Ms, p99Ms]).toEqual([p50Ms, p95Ms, p99Ms].sort((a, b) => a - b));
    expect(lastError).toMatchObject({ code: 'aborted', message, at: expect.any(Date) });
    expect(lastSuccessAt).toBeInstanceOf(Date);
  });

  it('counts no list and no wrong option as a call, but knows when one succeeded', async () => {
    const { client } = await setUp();
    await failureOf(client.callTool('echo', {}, { timeoutMs: -1 }));
    await client.listTools();
    const { calls, tools, lastError, lastSuccessAt } = client.stats();
    expect(calls).toMatchObject({ succeeded: 0, inFlight: 0 });
    expect(Object.values(calls.failed).every((count) => count === 0)).toBe(true);
    expect(tools).toEqual({});
    expect(lastError).toBeUndefined();
    expect(lastSuccessAt).toBeInstanceOf(Date);
    await failureOf(client.getPrompt('none'));
    expect(client.stats().lastError).toMatchObject({ code: 'server-error' });
    expect(client.stats().calls.failed['server-error']).toBe(0);
  });

  it('counts a result that breaks the promise of its tool as failed', async () => {
    const { client } = await setUp({
      answer: ({ method }) => {
        if (method === 'tools/call') return { ...(said('x') as object), structuredContent: {} };
        if (method !== 'tools/list') return undefined;
        const outputSchema = { type: 'object', required: ['a'] };
        return { tools: [{ name: 'typed', inputSchema: { type: 'object' }, outputSchema }] };
      },
    });
    await client.listTools();
    await failureOf(client.callTool('typed'));
    const { calls, tools } = client.stats();
    expect(calls).toMatchObject({ succeeded: 0, inFlight: 0, failed: { protocol: 1 } });
    expect(tools).toEqual({});
  });

  it('counts the failure of a server that is not there', async () => {
    const server = await startStreamable();
    await server.close();
    const client = closeLater(createClient(server.url, quick));
    await failureOf(client.callTool('echo'));
    const { calls, lastError, messages, connectedSince } = client.stats();
    expect(calls).toMatchObject({ inFlight: 0, failed: { 'connect-failed': 1 } });
    expect(lastError?.code).toBe('connect-failed');
    expect(messages).toEqual({ sent: 0, received: 0 });
    expect(connectedSince).toBeUndefined();
  });

  it('is a copy', async () => {
    const { client } = await setUp();
    const before = client.stats();
    before.calls.failed.timeout = 7;
    await client.callTool('echo', { message: 'x' });
    expect(before.calls.succeeded).toBe(0);
    expect(client.stats().calls.failed.timeout).toBe(0);
  });
});

describe('over the lines of a client', () => {
  it('a loss is a reconnect, and the reason is the last error', async () => {
    const { server, client } = await setUp();
    expect(client.stats()).toMatchObject({ reconnects: 0, connectedSince: expect.any(Date) });
    server.cut();
    await until(() => expect(client.stats().reconnects).toBe(1));
    const { connectedSince, lastError } = client.stats();
    expect(connectedSince).toBeInstanceOf(Date);
    expect(lastError?.code).toBe('connection-lost');
  });

  it('a new connection after a close is none, and everything is counted on', async () => {
    const { server, client } = await setUp();
    await client.callTool('echo', { message: 'x' });
    server.push({ jsonrpc: '2.0', id: 99, result: {} });
    await until(() => expect(client.stats().droppedAnswers).toBe(1));
    const { messages } = client.stats();
    await client.close();
    expect(client.stats()).toMatchObject({ connectedSince: undefined, messages });
    await client.callTool('echo', { message: 'x' });
    const after = client.stats();
    expect(after).toMatchObject({ reconnects: 0, calls: { succeeded: 2 }, droppedAnswers: 1 });
    expect(after.messages.sent).toBeGreaterThan(messages.sent);
    expect(after.connectedSince).toBeInstanceOf(Date);
    server.push({ jsonrpc: '2.0', id: 99, result: {} });
    await until(() => expect(client.stats().droppedAnswers).toBe(2));
  });

  it('a connection that rested and was dialled by a call counts as a reconnect', async () => {
    const server = await serve();
    const client = makeClient(server.url, { retry: { ...quick.retry, maxAttempts: 0 } });
    await client.connect();
    server.cut();
    await until(() => expect(client.state.name).toBe('resting'));
    expect(client.stats()).toMatchObject({ reconnects: 0, connectedSince: undefined });
    await client.callTool('echo', { message: 'x' });
    expect(client.stats().reconnects).toBe(1);
  });
});
