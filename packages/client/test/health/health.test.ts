import { McpServer } from '@modelcontextprotocol/server';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { startModernServer } from '../../../../test/support/modern-server.ts';
import { startStreamable } from '../../../../test/support/streamable-fixture.ts';
import { until } from '../../../../test/support/until.ts';
import { atTheEndOfEachTest, quick } from '../support/recovery.ts';
import { failureOf } from '../support/failure-of.ts';
import { stdioServer } from '../support/open-stdio.ts';
import type { Health } from '../../src/index.ts';

const { setUp, serve, gateTo, client: makeClient, closeLater } = atTheEndOfEachTest();
afterEach(() => {
  vi.useRealTimers();
});

/** Only the calendar: what waits, waits for real. */
function laterBy(ms: number): void {
  const now = Date.now();
  vi.useFakeTimers({ toFake: ['Date'], now: now + ms });
}

const isWell: Health = {
  status: 'healthy',
  latencyMs: expect.any(Number) as number,
  uptimeMs: expect.any(Number) as number,
};

describe('a server that answers is healthy', () => {
  it('over HTTP+SSE, and the check counts as no call', async () => {
    const { server, client } = await setUp();
    const before = client.stats();
    laterBy(5000);
    const health = await client.health();
    expect(health).toEqual(isWell);
    expect(health.uptimeMs).toBeGreaterThanOrEqual(5000);
    expect(server.messagesOf('ping')).toHaveLength(1);
    const { calls, tools, lastSuccessAt, lastError } = client.stats();
    expect({ calls, tools, lastSuccessAt, lastError }).toEqual({
      calls: before.calls,
      tools: before.tools,
      lastSuccessAt: before.lastSuccessAt,
      lastError: before.lastError,
    });
  });

  it('over Streamable HTTP of the legacy era', async () => {
    const server = closeLater(await startStreamable({ answers: 'json' }));
    const client = makeClient(server.url);
    await client.connect();
    expect(await client.health()).toEqual(isWell);
    expect(server.messagesOf('ping')).toHaveLength(1);
  });

  it('of the modern era', async () => {
    const server = closeLater(await startModernServer());
    const client = makeClient(server.url);
    await client.connect();
    const { sent } = client.stats().messages;
    expect(await client.health()).toEqual(isWell);
    expect(client.stats().messages.sent).toBe(sent + 1);
  });

  it('as often as it is asked, also at the same time', async () => {
    const server = closeLater(await startStreamable());
    const client = makeClient(server.url);
    await client.connect();
    const checks = await Promise.all(Array.from({ length: 5 }, () => client.health()));
    expect(checks).toEqual(Array(5).fill(isWell));
    expect(server.messagesOf('ping')).toHaveLength(5);
  });

  it('through middlewares, to which the question is none of the program’s', async () => {
    const server = await serve();
    const seen: [string, boolean][] = [];
    const client = makeClient(server.url, {
      ...quick,
      middleware: [
        (request, next) => {
          seen.push([request.method, request.internal]);
          return next();
        },
      ],
    });
    await client.connect();
    expect(await client.health()).toEqual(isWell);
    expect(seen.at(-1)).toEqual(['ping', true]);
    server.mischief.hangOn = 'ping';
    expect(await client.health({ timeoutMs: 20 })).toMatchObject({ status: 'down' });
  });

  it('over stdio', async () => {
    const client = makeClient(stdioServer('tools') as never);
    await client.connect();
    expect(await client.health()).toEqual(isWell);
  });

  it('in this process', async () => {
    const server = () => new McpServer({ name: 'embedded', version: '1.0.0' });
    const client = makeClient({ server } as never);
    await client.connect();
    expect(await client.health()).toEqual(isWell);
  });

  it('also where the answer is an error', async () => {
    const { client } = await setUp({ failOn: 'ping' });
    expect(await client.health()).toEqual(isWell);
  });
});

describe('a server that answers is degraded', () => {
  it('when it is slow', async () => {
    const { client } = await setUp();
    const health = await client.health({ slowMs: 0.000_001 });
    expect(health).toMatchObject({
      status: 'degraded',
      reason: expect.stringMatching(/^it took \d+ ms to answer$/),
    });
    expect(health.latencyMs).toBeGreaterThan(0);
  });

  it('when its connection was lost again and again within the last minute', async () => {
    const { server, client } = await setUp();
    for (const times of [1, 2, 3]) {
      expect(await client.health()).toMatchObject({ status: 'healthy' });
      server.cut();
      await until(() => expect(client.stats().reconnects).toBe(times));
    }
    expect(await client.health()).toMatchObject({
      status: 'degraded',
      reason: expect.stringMatching(
        /^the connection was lost and restored three times within \d+ s$/,
      ),
    });
    laterBy(61_000);
    expect(await client.health()).toEqual(isWell);
  });

  it('when most calls of the last minute failed, and not by what a tool or the program does', async () => {
    const { server, client } = await setUp();
    const programsOwn = async (): Promise<void> => {
      await client.callTool('fail');
      await failureOf(client.callTool('echo', {}, { signal: AbortSignal.abort() }));
      await failureOf(client.callTool('no-such-tool'));
      await failureOf(client.callTool('hang', {}, { timeoutMs: 1 }));
      await failureOf(client.callTool('hang', {}, { deadlineMs: 1 }));
    };
    for (let i = 0; i < 6; i++) await programsOwn();
    expect(await client.health()).toEqual(isWell);
    server.mischief.failOn = 'tools/call';
    for (let i = 0; i < 7; i++) await failureOf(client.callTool('echo'));
    expect(await client.health()).toMatchObject({
      status: 'degraded',
      reason: '7 of the latest 13 calls failed',
    });
    for (let i = 0; i < 20; i++) await failureOf(client.callTool('echo'));
    const { reason } = await client.health({ slowMs: 0.000_001 });
    expect(reason).toMatch(/^it took \d+ ms to answer; 20 of the latest 20 calls failed$/);
    laterBy(61_000);
    expect(await client.health()).toEqual(isWell);
  });

  it('but not for a few calls', async () => {
    const { client } = await setUp({ failOn: 'tools/call' });
    for (let i = 0; i < 4; i++) await failureOf(client.callTool('echo'));
    expect(await client.health()).toEqual(isWell);
  });
});

describe('a server is down', () => {
  const isDown = (reason: RegExp | string): Record<string, unknown> => ({
    status: 'down',
    latencyMs: undefined,
    uptimeMs: 0,
    reason: expect.stringMatching(reason) as string,
  });

  it('before anything was asked of it, and is not dialled for that', async () => {
    const server = await serve();
    const client = makeClient(server.url);
    expect(await client.health()).toEqual(isDown('nothing was asked of the server yet'));
    expect(server.requests).toEqual([]);
    expect(client.state).toEqual({ name: 'idle' });
  });

  it('when it does not answer in time, and gets a cancellation', async () => {
    const { server, client } = await setUp({ hangOn: 'ping' });
    expect(await client.health({ timeoutMs: 20 })).toEqual({
      ...isDown('^the server did not answer ping within 20 ms$'),
      uptimeMs: expect.any(Number),
    });
    const [ping] = server.messagesOf('ping');
    await until(() =>
      expect(server.messagesOf('notifications/cancelled')).toMatchObject([
        { params: { requestId: ping?.id } },
      ]),
    );
    delete server.mischief.hangOn;
    expect(await client.health()).toEqual(isWell);
    expect(client.stats().lastError).toBeUndefined();
  });

  it('when it refuses the question', async () => {
    const server = closeLater(await startStreamable({ answers: 'json' }));
    const client = makeClient(server.url);
    await client.connect();
    server.mischief.postFaults = [{ method: 'ping', status: 503, body: 'overloaded' }];
    expect(await client.health()).toMatchObject({
      status: 'down',
      reason: expect.stringContaining('was answered 503: overloaded') as string,
    });
  });

  it('while it reconnects, and while it rests', async () => {
    const server = await serve();
    const gate = await gateTo(server);
    const client = makeClient(gate.url, {
      retry: { firstDelayMs: 30_000, maxDelayMs: 30_000, maxAttempts: 1 },
    });
    await client.connect();
    await client.callTool('echo', { message: 'x' });
    gate.shut();
    await until(() => expect(client.state.name).toBe('reconnecting'));
    expect(await client.health()).toEqual(isDown('^the connection was lost, and reconnects: '));
    const resting = makeClient(gate.url, { retry: { maxAttempts: 0 } });
    await gate.open();
    await resting.connect();
    gate.shut();
    await until(() => expect(resting.state.name).toBe('resting'));
    expect(await resting.health()).toEqual(
      isDown('^the connection was lost, and is dialled on the next call: '),
    );
  });

  it('when the connection is lost while it is asked', async () => {
    const { server, client } = await setUp({ hangOn: 'ping' });
    const health = client.health();
    await until(() => expect(server.messagesOf('ping')).toHaveLength(1));
    server.cut();
    expect(await health).toMatchObject({ status: 'down', latencyMs: undefined });
  });

  it('when the client is closed, also while it is asked', async () => {
    const { server, client } = await setUp({ hangOn: 'ping' });
    const health = client.health();
    await until(() => expect(server.messagesOf('ping')).toHaveLength(1));
    await client.close();
    expect(await health).toMatchObject({ status: 'down' });
    expect(await client.health()).toEqual(isDown('^the client was closed$'));
  });
});

describe('a check', () => {
  it('can be aborted, before and while it is made', async () => {
    const { server, client } = await setUp({ hangOn: 'ping' });
    const reason = new Error('enough');
    const isAborted = { name: 'LongwireError', code: 'aborted', cause: reason };
    expect(await failureOf(client.health({ signal: AbortSignal.abort(reason) }))).toMatchObject({
      ...isAborted,
      certainty: 'not-sent',
    });
    expect(server.messagesOf('ping')).toHaveLength(0);
    const aborting = new AbortController();
    const health = failureOf(client.health({ signal: aborting.signal }));
    await until(() => expect(server.messagesOf('ping')).toHaveLength(1));
    aborting.abort(reason);
    expect(await health).toMatchObject({ ...isAborted, certainty: 'outcome-unknown' });
  });

  it('has no options but its own', async () => {
    const client = makeClient('http://127.0.0.1:9/', quick);
    for (const [options, message] of [
      [{ timeout: 1 }, /^timeout: no such option/],
      [{ timeoutMs: 0 }, /^timeoutMs: 0 is not a number above 0/],
      [{ slowMs: '5' }, /^slowMs: /],
      [{ signal: {} }, /^signal: not an AbortSignal/],
      [null, /^options: not an object/],
    ] as const) {
      const failure = await failureOf(client.health(options as never));
      expect(failure).toBeInstanceOf(TypeError);
      expect(failure.message).toMatch(message);
    }
  });
});
