import { describe, expect, it } from 'vitest';
import { until } from '../../../../test/support/until.ts';
import type { Health } from '../../src/index.ts';
import type { LongwirePool } from '../../src/pool/index.ts';
import { poolHealth } from '../../src/pool/health.ts';
import { failureOf } from '../support/failure-of.ts';
import { atTheEndOfEachTest, Held } from '../support/pool.ts';
import { said } from '../support/recovery.ts';

const { serve, gateTo, pool: makePool } = atTheEndOfEachTest();

const echo = (pool: LongwirePool, message: string) => pool.callTool('echo', { message });
const transport = 'streamable-http' as const;

describe('the health of a pool', () => {
  it('is asked on a free connection, and is no call', async () => {
    const pool = makePool((await serve()).url);
    await echo(pool, 'a');
    const health = await pool.health();
    expect(health).toMatchObject({ status: 'healthy', latencyMs: expect.any(Number) as number });
    expect(health.uptimeMs).toBeGreaterThanOrEqual(0);
    expect(pool.stats().calls.succeeded).toBe(1);
  });

  it('makes a connection where there is none', async () => {
    const server = await serve();
    const pool = makePool(server.url);
    expect(await pool.health()).toMatchObject({ status: 'healthy' });
    expect(server.openedSessions()).toBe(1);
  });

  it('is down when the server cannot be reached', async () => {
    const gate = await gateTo(await serve());
    gate.shut();
    const pool = makePool(gate.url, { transport });
    expect(await pool.health()).toMatchObject({ status: 'down', latencyMs: undefined });
  });

  it('is degraded while a target is ejected', async () => {
    const dead = await gateTo(await serve());
    dead.shut();
    const pool = makePool([dead.url, (await serve()).url], { transport });
    for (const message of ['a', 'b']) expect(await echo(pool, message)).toEqual(said(message));
    expect(await pool.health()).toMatchObject({
      status: 'degraded',
      reason: expect.stringContaining('cannot be reached') as string,
    });
  });

  it('is down once the pool is closed, and dials nothing', async () => {
    const server = await serve();
    const pool = makePool(server.url);
    await pool.close();
    expect(await pool.health()).toMatchObject({ status: 'down', reason: 'the pool was closed' });
    expect(server.openedSessions()).toBe(0);
  });

  it('has no options but its own, and can be aborted', async () => {
    const pool = makePool((await serve()).url);
    await expect(pool.health({ wrong: 1 } as object)).rejects.toThrow(TypeError);
    const aborted = await failureOf(pool.health({ signal: AbortSignal.abort() }));
    expect(aborted).toMatchObject({ code: 'aborted' });
  });

  const healthy: Health = { status: 'healthy', latencyMs: 5, uptimeMs: 100 };
  const slow: Health = { status: 'degraded', reason: 'slow', latencyMs: 900, uptimeMs: 300 };
  const down: Health = { status: 'down', reason: 'away', latencyMs: undefined, uptimeMs: 0 };
  it.each<[Health[], string[], Health]>([
    [[healthy, healthy], [], healthy],
    [[healthy, slow], [], { status: 'degraded', reason: 'slow', latencyMs: 5, uptimeMs: 300 }],
    [[slow, slow], [], slow],
    [[healthy, down], [], { ...healthy, status: 'degraded', reason: 'away' }],
    [[down, down], [], down],
    [[healthy], ['x'], { ...healthy, status: 'degraded', reason: 'x cannot be reached' }],
  ])('of connections that are %j, without %j', (healths, ejected, expected) => {
    expect(poolHealth(healths, ejected)).toEqual(expected);
  });
});

describe('the figures of a pool', () => {
  it('count each call once, and what all connections carried', async () => {
    const held = new Held();
    const server = await serve({ holdPost: held.hold });
    const pool = makePool(server.url, { size: 2, idleMs: 20 });
    expect(pool.stats()).toMatchObject({ messages: { sent: 0 }, connectedSince: undefined });
    const calls = ['a', 'b', 'c'].map((message) => echo(pool, message));
    await until(() => expect(held.came).toHaveLength(2));
    expect(pool.stats()).toMatchObject({
      connectedSince: expect.any(Date) as Date,
      calls: { succeeded: 0, inFlight: 3 },
    });
    held.end();
    await Promise.all(calls);
    const { calls: counted, tools, messages, bytes } = pool.stats();
    expect(counted).toMatchObject({ succeeded: 3, inFlight: 0 });
    expect(tools).toMatchObject({ echo: { calls: 3 } });
    // Two handshakes and three calls.
    expect(messages.sent).toBeGreaterThanOrEqual(5);
    await until(() => expect(pool.status().targets[0]).toMatchObject({ idle: 0 }));
    await pool.close();
    const after = pool.stats();
    expect(after.connectedSince).toBeUndefined();
    expect(after.messages.sent).toBeGreaterThanOrEqual(messages.sent);
    expect(after.bytes.sent).toBeGreaterThanOrEqual(bytes.sent);
  });

  it('name the latest error, of a call or of a connection', async () => {
    const pool = makePool((await serve()).url);
    await failureOf(pool.callTool('echo', {}, { signal: AbortSignal.abort() }));
    expect(pool.stats()).toMatchObject({ lastError: { code: 'aborted' }, calls: { inFlight: 0 } });
    expect(pool.stats().calls.failed).toMatchObject({ aborted: 1 });
  });
});
