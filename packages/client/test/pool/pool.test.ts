import { describe, expect, it } from 'vitest';
import { everythingCommand } from '../../../../test/support/peers.ts';
import { until } from '../../../../test/support/until.ts';
import { createPool, type LongwirePool, type PoolOptions } from '../../src/pool/index.ts';
import { listing, runsOf, said } from '../support/recovery.ts';
import { failureOf } from '../support/failure-of.ts';
import { atTheEndOfEachTest, Held, targetsOf, textOf } from '../support/pool.ts';

const { serve, pool: makePool } = atTheEndOfEachTest();

const echo = (pool: LongwirePool, message: string) => pool.callTool('echo', { message });

/** A server that keeps the calls, and a pool that has been given so many. */
async function setUp(calls: number, options: PoolOptions) {
  const held = new Held();
  const server = await serve({ holdPost: held.hold });
  const pool = makePool(server.url, options);
  const made = Array.from({ length: calls }, (_, i) => echo(pool, `m${i}`));
  const size = options.size ?? 4;
  const room = Math.min(calls, size * (options.maxPerConnection ?? 1));
  await until(() => expect(held.came).toHaveLength(room));
  return { held, server, pool, made };
}

describe('a pool', () => {
  it('has at most `size` connections, and serves what waits in order', async () => {
    const { held, server, pool, made } = await setUp(10, { size: 3 });
    expect(pool.status()).toMatchObject({
      waiting: 7,
      targets: [{ target: server.url, busy: 3, idle: 0, inFlight: 3, failed: 0, ejectedMs: 0 }],
    });
    const order = Array.from({ length: 10 }, (_, i) => `m${i}`);
    for (let came = 4; came <= 10; came++) {
      held.release();
      await until(() => expect(held.came).toHaveLength(came));
      expect(held.came.slice(3)).toEqual(order.slice(3, came));
    }
    held.end();
    expect(await Promise.all(made)).toEqual(order.map(said));
    expect(server.openedSessions()).toBe(3);
    expect(targetsOf(pool)[0]).toMatchObject({ busy: 0, idle: 3, inFlight: 0 });
    expect(pool.status().waiting).toBe(0);
    expect(pool.state.name).toBe('ready');
    expect(pool.name).toBe('hostile');
  });

  it('dials nothing before the first call, and no more than it needs', async () => {
    const server = await serve();
    const pool = makePool(server.url);
    expect(pool.state).toEqual({ name: 'idle' });
    expect(server.requests).toEqual([]);
    for (const message of ['a', 'b', 'c']) expect(await echo(pool, message)).toEqual(said(message));
    expect(server.openedSessions()).toBe(1);
  });

  it('gives each connection as many calls as it may have', async () => {
    const { held, server, made } = await setUp(7, { size: 2, maxPerConnection: 3 });
    expect(server.openedSessions()).toBe(2);
    held.end();
    expect(await Promise.all(made)).toHaveLength(7);
    const sessions = new Map<unknown, number>();
    for (const { headers, json } of server.requestsOf('POST')) {
      if ((json as { method?: string }).method !== 'tools/call') continue;
      const id = headers['mcp-session-id'];
      sessions.set(id, (sessions.get(id) ?? 0) + 1);
    }
    expect([...sessions.values()].sort((a, b) => a - b)).toEqual([3, 4]);
  });

  it('refuses what is too much', async () => {
    const { held, pool, made } = await setUp(3, { size: 1, maxQueued: 2 });
    expect(await failureOf(echo(pool, 'too much'))).toMatchObject({
      code: 'queue-full',
      certainty: 'not-sent',
      message:
        'the call of echo was refused: all connections of the pool are busy, and 2 calls wait already; wait for some, or raise size or maxQueued',
    });
    held.release();
    await until(() => expect(held.came).toHaveLength(2));
    const later = echo(pool, 'm3');
    held.end();
    expect(await Promise.all([...made, later])).toEqual(['m0', 'm1', 'm2', 'm3'].map(said));
  });

  it('lets calls that wait be aborted, and time out', async () => {
    const { held, pool, made, server } = await setUp(1, { size: 1 });
    const ending = new AbortController();
    const aborted = failureOf(pool.callTool('echo', { message: 'x' }, { signal: ending.signal }));
    const late = failureOf(pool.callTool('echo', { message: 'y' }, { timeoutMs: 20 }));
    const dead = failureOf(pool.listTools({ deadlineMs: 20 }));
    const last = echo(pool, 'last');
    ending.abort();
    expect(await aborted).toMatchObject({ code: 'aborted', certainty: 'not-sent' });
    expect(await failureOf(pool.callTool('echo', {}, { signal: ending.signal }))).toMatchObject({
      code: 'aborted',
      certainty: 'not-sent',
    });
    expect(await late).toMatchObject({
      code: 'timeout',
      certainty: 'not-sent',
      message:
        'the call of echo, waiting for a connection of the pool, had no answer and no progress for 20 ms; it had not been sent',
    });
    expect(await dead).toMatchObject({ code: 'deadline', certainty: 'not-sent' });
    expect(pool.status().waiting).toBe(1);
    held.end();
    expect(await Promise.all([...made, last])).toEqual([said('m0'), said('last')]);
    expect(server.messagesOf('tools/call').map(textOf)).toEqual(['m0', 'last']);
  });

  it('fails what waits and what is under way when it is closed, and can be used again', async () => {
    const { held, server, pool, made } = await setUp(4, { size: 2 });
    const failures = made.map(failureOf);
    const states: string[] = [];
    pool.on('state', ({ name }) => states.push(name));
    await pool.close();
    const certainties = ['outcome-unknown', 'outcome-unknown', 'not-sent', 'not-sent'];
    expect(await Promise.all(failures)).toMatchObject(
      certainties.map((certainty) => ({ code: 'closed', certainty })),
    );
    expect(pool.state).toEqual({ name: 'closed' });
    expect(pool.status()).toMatchObject({ waiting: 0, targets: [{ busy: 0, idle: 0, failed: 0 }] });
    expect(server.endedSessions()).toBe(2);
    held.end();
    expect(await echo(pool, 'again')).toEqual(said('again'));
    expect(states).toEqual(['closed', 'connecting', 'ready']);
  });

  it('closes when it is disposed of', async () => {
    const server = await serve();
    {
      await using pool = createPool(server.url);
      await echo(pool, 'a');
    }
    expect(server.endedSessions()).toBe(1);
    await until(() => expect(server.openConnections()).toBe(0));
  });

  it('closes what is idle, and keeps what is not', async () => {
    const { held, server, pool, made } = await setUp(2, { size: 2, idleMs: 20 });
    held.release();
    await until(() => expect(server.endedSessions()).toBe(1));
    expect(targetsOf(pool)[0]).toMatchObject({ busy: 1, idle: 0 });
    held.end();
    await Promise.all(made);
    await until(() => expect(server.endedSessions()).toBe(2));
    await until(() => expect(pool.state).toEqual({ name: 'idle' }));
    expect(await echo(pool, 'again')).toEqual(said('again'));
  });

  it.each([{ keepAlive: false }, { idleMs: 0 }])('keeps nothing with %o', async (options) => {
    const { held, server, pool, made } = await setUp(4, { size: 2, ...options });
    held.end();
    expect(await Promise.all(made)).toHaveLength(4);
    await until(() => expect(server.endedSessions()).toBe(2));
    expect(server.openedSessions()).toBe(2);
    expect(targetsOf(pool)[0]).toMatchObject({ busy: 0, idle: 0, failed: 0 });
  });

  it('knows on all connections what was listed on one', async () => {
    const outputSchema = { type: 'object' };
    const held = new Held();
    const server = await serve({
      holdPost: held.hold,
      answer: listing({ echo: { readOnlyHint: true } }),
    });
    const pool = makePool(server.url, { size: 2 });
    expect(await pool.listTools()).toMatchObject([{ name: 'echo' }]);
    const first = echo(pool, 'first');
    await until(() => expect(held.came).toEqual(['first']));
    Object.assign(server.mischief, {
      holdPost: undefined,
      cutOn: 'tools/call',
      cuts: 1,
      getAnswer: { status: 405 },
    });
    expect(await echo(pool, 'second')).toEqual(said('second'));
    expect(runsOf(server, 'echo').map(textOf)).toEqual(['first', 'second', 'second']);

    server.mischief.answer = ({ method }) =>
      method === 'tools/list'
        ? { tools: [{ name: 'echo', inputSchema: { type: 'object' }, outputSchema }] }
        : undefined;
    await pool.listTools();
    const third = failureOf(echo(pool, 'third'));
    held.end();
    expect(await first).toEqual(said('first'));
    expect(await third).toMatchObject({ code: 'protocol' });
    expect(await failureOf(echo(pool, 'fourth'))).toMatchObject({ code: 'protocol' });
    expect(server.messagesOf('tools/list')).toHaveLength(2);
  });

  it('emits once that the tools changed, however many connections say so', async () => {
    let tools = listing({ echo: {} });
    const held = new Held();
    const server = await serve({ holdPost: held.hold, answer: (request) => tools(request) });
    const pool = makePool(server.url, { size: 3 });
    const told: string[] = [];
    pool.on('toolsChanged', () => told.push('toolsChanged'));
    pool.on('notification', ({ method }) => told.push(method));
    await pool.listTools();
    const calls = ['a', 'b', 'c'].map((message) => echo(pool, message));
    await until(() => expect(server.openStreams()).toBe(3));
    held.end();
    await Promise.all(calls);
    const changed = { jsonrpc: '2.0' as const, method: 'notifications/tools/list_changed' };
    const other = { jsonrpc: '2.0' as const, method: 'notifications/other' };
    const both = ['toolsChanged', 'notifications/tools/list_changed'];

    tools = listing({ echo: {}, more: {} });
    server.push(changed);
    await until(() => expect(told).toEqual(both));
    expect(await pool.listTools()).toHaveLength(2);

    server.push(changed);
    server.push(other);
    await until(() => expect(told.filter((what) => what === other.method)).toHaveLength(3));
    tools = listing({ more: {} });
    server.push(changed);
    await until(() =>
      expect(told.filter((what) => what !== other.method)).toEqual([...both, ...both]),
    );
  });

  it('reads, gets, lists and completes', async () => {
    const answers: Record<string, unknown> = {
      'resources/list': { resources: [{ uri: 'a:b', name: 'b' }] },
      'resources/templates/list': { resourceTemplates: [{ uriTemplate: 'a:{x}', name: 'x' }] },
      'resources/read': { contents: [{ uri: 'a:b', text: 'read' }] },
      'prompts/list': { prompts: [{ name: 'p' }] },
      'prompts/get': { messages: [] },
      'completion/complete': { completion: { values: ['abc'] } },
    };
    const server = await serve({ answer: ({ method }) => answers[String(method)] });
    const pool = makePool(server.url);
    expect(await pool.listResources()).toEqual([{ uri: 'a:b', name: 'b' }]);
    expect(await pool.listResourceTemplates()).toEqual([{ uriTemplate: 'a:{x}', name: 'x' }]);
    expect(await pool.readResource('a:b')).toMatchObject({ contents: [{ text: 'read' }] });
    expect(await pool.listPrompts()).toEqual([{ name: 'p' }]);
    expect(await pool.getPrompt('p')).toMatchObject({ messages: [] });
    const ref = { type: 'ref/prompt' as const, name: 'p' };
    expect(await pool.complete({ ref, argument: { name: 'x', value: 'a' } })).toMatchObject({
      completion: { values: ['abc'] },
    });
    expect(await pool.tool('echo').call({ message: 'a' })).toEqual(said('a'));
    expect(await failureOf(pool.tool('none').definition())).toMatchObject({ code: 'unknown-tool' });
  });

  it('starts a process for each connection, and ends them', async () => {
    const pool = makePool(everythingCommand(), { size: 2 });
    const sum = (a: number) => pool.callTool('get-sum', { a, b: 1 });
    const results = await Promise.all([1, 2, 3, 4].map(sum));
    expect(JSON.stringify(results[3])).toContain('5');
    expect(targetsOf(pool)[0]).toMatchObject({ target: expect.stringMatching(/^node/), idle: 2 });
    await pool.close();
  });
});

describe('the options of a pool', () => {
  it.each([
    [{ size: 0 }, 'size: 0 is not a whole number from 1, or Infinity'],
    [{ size: 1.5 }, 'size: 1.5 is not a whole number from 1, or Infinity'],
    [{ maxPerConnection: 0 }, 'maxPerConnection: 0 is not a whole number from 1, or Infinity'],
    [{ maxQueued: '5' }, 'maxQueued: "5" is not a whole number from 0, or Infinity'],
    [{ idleMs: -1 }, 'idleMs: -1 is not a number above 0'],
    [{ ejectMs: 0 }, 'ejectMs: 0 is not a number above 0'],
    [{ keepAlive: 'no' }, 'keepAlive: neither true nor false'],
    [
      { keepAlive: false, idleMs: 5 },
      'idleMs: says for how long what keepAlive: false does not allow',
    ],
    [
      { timeouts: { connect: 5 } },
      'timeouts.connect: no such option; there are connectMs, callMs, deadlineMs; did you mean connectMs?',
    ],
  ])('%o is refused', (options, message) => {
    expect(() => createPool('http://127.0.0.1:1', options as PoolOptions)).toThrow(
      new TypeError(message),
    );
  });

  it('are named if there are none of the name', () => {
    expect(() => createPool('http://127.0.0.1:1', { sise: 2 } as PoolOptions)).toThrow(
      /^sise: no such option; there are headers, .*, size, /,
    );
  });

  it('come with a target that is one', () => {
    expect(() => createPool([])).toThrow(new TypeError('a pool needs a target'));
    expect(() => createPool(['http://127.0.0.1:1', 'nowhere'])).toThrow(/"nowhere" is not a URL/);
  });
});
