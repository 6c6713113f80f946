import { apiKeys, hashApiKey, type McpMount } from '@longwire/server';
import { redis } from '@longwire/cluster';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRedis } from '../../../../test/cluster/support/redis-server.mjs';
import { open, post, serving, stream } from '../../../server/test/fixture.ts';
import { RawStream } from '../../../server/test/raw-stream.ts';
import { headersOf, listen, request } from '../../../server/test/stateless/requests.ts';
import { LegacySession } from '../../../server/test/tasks/legacy-session.ts';
import {
  get,
  isFinal,
  send,
  servingTasks,
  started,
  taskRequest,
  until,
} from '../../../server/test/tasks/task-server.ts';
import { join } from '../support/nodes.ts';

let server: Awaited<ReturnType<typeof startRedis>>;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(async () => {
  await server.stop();
});

let clusters = 0;

/** A cluster of the test's own. */
function cluster(): { cluster: ReturnType<typeof redis>; prefix: string } {
  const prefix = `kit-${++clusters}:`;
  return { cluster: redis(server.url, { prefix }), prefix };
}

describe('a task of another node', () => {
  it('is answered for, takes its answers and is cancelled at any node', async () => {
    const given = cluster();
    const a = await servingTasks({ cluster: given.cluster });
    const b = await servingTasks({ cluster: given.cluster });
    const gate = await started(a.url, 'gate');
    const working = await until(b.url, gate, (task) => 'statusMessage' in task);
    expect(working).toMatchObject({ status: 'working' });
    expect(JSON.stringify(working)).not.toContain('"node"');

    const greet = await started(a.url, 'greet');
    const asking = await until(b.url, greet, ({ status }) => status === 'input_required');
    const [key = ''] = Object.keys(asking['inputRequests'] as object);
    const inputResponses = { [key]: { action: 'accept', content: { name: 'Ada' } } };
    await send(b.url, taskRequest('tasks/update', { taskId: greet, inputResponses }));
    expect(await until(b.url, greet, isFinal)).toMatchObject({
      status: 'completed',
      result: { content: [{ text: 'Hello, Ada' }] },
    });

    await send(b.url, taskRequest('tasks/cancel', { taskId: gate }));
    expect(await get(a.url, gate)).toMatchObject({ status: 'cancelled' });
    await expect.poll(() => a.world.said).toContain('aborted');
    expect(b.world.made).toEqual([]);
  });

  it('is told to a subscription at another node, until its end', async () => {
    const given = cluster();
    const a = await servingTasks({ cluster: given.cluster });
    const b = await servingTasks({ cluster: given.cluster });
    const gate = await started(a.url, 'gate');
    const message = taskRequest('subscriptions/listen', { notifications: { taskIds: [gate] } });
    const listening = await RawStream.post(b.url, message, headersOf(message));
    open.push(() => listening[Symbol.asyncDispose]());
    const next = async (): Promise<{ method?: string; params: Record<string, unknown> }> =>
      JSON.parse(await listening.nextOf('message'));
    expect((await next()).method).toBe('notifications/subscriptions/acknowledged');
    expect((await next()).params).toMatchObject({ taskId: gate, status: 'working' });
    a.world.open();
    let told: Record<string, unknown>;
    do told = (await next()).params;
    while (told['status'] === 'working');
    expect(told).toMatchObject({ taskId: gate, status: 'completed' });
  });

  it('is waited for, and asks, in a session of 2025-11-25 at another node', async () => {
    const given = cluster();
    const a = await servingTasks({ cluster: given.cluster });
    const b = await servingTasks({ cluster: given.cluster });
    const here = await LegacySession.open(a.url);
    const there = await LegacySession.open(b.url);
    const taskId = await here.task('greet');
    const waiting = await there.begin('tasks/result', { taskId });
    const asked = JSON.parse(await waiting.stream.nextOf('message'));
    expect(asked).toMatchObject({ method: 'elicitation/create' });
    const result = { action: 'accept', content: { name: 'Bob' } };
    await post(b.url, { jsonrpc: '2.0', id: asked.id, result }, there.headers);
    expect(JSON.parse(await waiting.stream.nextOf('message'))).toMatchObject({
      id: waiting.id,
      result: { content: [{ text: 'Hello, Bob' }] },
    });
    await waiting.stream[Symbol.asyncDispose]();
    expect((await here.ask('tasks/get', { taskId })).result).toMatchObject({ status: 'completed' });
  });

  it('has failed, and may have run in part, when its node is gone', async () => {
    const given = cluster();
    const a = await servingTasks({ cluster: given.cluster });
    const { node: dead } = await join(server.url, { prefix: given.prefix });
    const task = {
      principal: 'anonymous',
      tool: 'gate',
      era: 'modern',
      status: 'working',
      ttlMs: 60_000,
      node: dead.name,
    } as const;
    for (const taskId of ['met', 'heard', 'answered'])
      await dead.stores.tasks!.create({ ...task, taskId });
    expect(await get(a.url, 'met')).toMatchObject({ status: 'working' });
    const message = taskRequest('subscriptions/listen', { notifications: { taskIds: ['heard'] } });
    const listening = await RawStream.post(a.url, message, headersOf(message));
    open.push(() => listening[Symbol.asyncDispose]());
    for (let at = 0; at < 2; at++) await listening.nextOf('message');
    await dead.leave();
    const lost = {
      status: 'failed',
      error: { data: { certainty: 'outcome-unknown' } },
    };
    expect(await until(a.url, 'met', isFinal)).toMatchObject(lost);
    expect(JSON.parse(await listening.nextOf('message')).params).toMatchObject(lost);
    await send(a.url, taskRequest('tasks/update', { taskId: 'answered', inputResponses: {} }));
    expect(await get(a.url, 'answered')).toMatchObject(lost);
  });
});

describe('what one node of a cluster says', () => {
  it('reaches the sessions and subscriptions of all nodes, once', async () => {
    const given = cluster();
    const mounts: McpMount[] = [];
    const nodes = [];
    for (let at = 0; at < 2; at++) {
      const node = await serving({
        cluster: given.cluster,
        onMount: (mount) => void mounts.push(mount),
      });
      nodes.push(node);
    }
    const streams: RawStream[] = [];
    for (const { url, mcpUrl } of nodes) {
      const session = await stream(url);
      const endpoint = new URL(await session.nextOf('endpoint'), url).href;
      const params = {
        protocolVersion: '2024-11-05',
        capabilities: {},
        clientInfo: { name: 'raw', version: '1' },
      };
      await post(endpoint, { jsonrpc: '2.0', id: 0, method: 'initialize', params });
      await session.nextOf('message');
      await post(endpoint, { jsonrpc: '2.0', method: 'notifications/initialized' });
      const subscribe = { method: 'resources/subscribe', params: { uri: 'file:///a' } };
      await post(endpoint, { jsonrpc: '2.0', id: 1, ...subscribe });
      await session.nextOf('message');
      const message = listen({ toolsListChanged: true, resourceSubscriptions: ['file:///a'] });
      const listening = await RawStream.post(mcpUrl, message, headersOf(message));
      open.push(() => listening[Symbol.asyncDispose]());
      await listening.nextOf('message');
      streams.push(session, listening);
    }
    mounts[0]!.notify.toolsChanged();
    mounts[1]!.notify.toolsChanged();
    const next = async (it: RawStream): Promise<string> => {
      for (;;) {
        const { method } = JSON.parse(await it.nextOf('message')) as { method?: string };
        // Not the answers to requests before.
        if (method !== undefined) return method;
      }
    };
    for (const it of streams) {
      for (let at = 0; at < 2; at++) {
        expect(await next(it)).toBe('notifications/tools/list_changed');
      }
    }
    // If something was told twice, it is before this.
    mounts[1]!.notify.resourceUpdated('file:///a');
    for (const it of streams) expect(await next(it)).toBe('notifications/resources/updated');
  });
});

describe('limits of a cluster', () => {
  it('count what all nodes let pass', async () => {
    const given = cluster();
    const rates = { perPrincipal: { max: 3, windowMs: 600_000 } };
    const nodes = [
      await serving({ cluster: given.cluster, rates }),
      await serving({ cluster: given.cluster, rates }),
    ];
    const statuses: number[] = [];
    for (let at = 0; at < 5; at++) {
      const message = request('tools/list');
      const { mcpUrl } = nodes[at % 2]!;
      statuses.push((await post(mcpUrl, message, headersOf(message))).status);
    }
    expect(statuses).toEqual([200, 200, 200, 429, 429]);
  });

  it('refuse a revoked key at each node, end what it has open, and are known to a new node', async () => {
    const given = cluster();
    const key = 'k-4f1c9d2e7a60b8355c1d';
    const keys = () => apiKeys({ keys: [{ principal: 'ada', sha256: hashApiKey(key) }] });
    const auth = keys();
    await serving({ cluster: given.cluster, auth });
    const b = await serving({ cluster: given.cluster, auth: keys() });
    const session = await stream(b.url, { 'x-api-key': key });
    await session.nextOf('endpoint');
    await auth.revoke(hashApiKey(key));
    expect(await session.next()).toBeUndefined();
    const c = await serving({ cluster: given.cluster, auth: keys() });
    for (const { mcpUrl } of [b, c]) {
      const message = request('tools/list');
      const answer = await post(mcpUrl, message, { ...headersOf(message), 'x-api-key': key });
      expect(answer.status).toBe(401);
    }
  });

  it('count failed logins at all nodes together', async () => {
    const given = cluster();
    const auth = apiKeys({ keys: [{ principal: 'ada', sha256: hashApiKey('k-right') }] });
    const attempts = { max: 3, windowMs: 600_000 };
    const nodes = [
      await serving({ cluster: given.cluster, auth, attempts }),
      await serving({ cluster: given.cluster, auth, attempts }),
    ];
    const statuses: number[] = [];
    const message = request('tools/list');
    for (let at = 0; at < 6; at++) {
      const headers = { ...headersOf(message), 'x-api-key': `k-wrong-${at}` };
      statuses.push((await post(nodes[at % 2]!.mcpUrl, message, headers)).status);
    }
    // A node learns that an address is blocked by its own next failure.
    expect(statuses).toEqual([401, 401, 401, 401, 429, 429]);
  });
});

describe('tasks while Redis is away', () => {
  it('are asked for again: nothing has run, and what runs goes on', async () => {
    const own = await startRedis({ isPersistent: true });
    open.push(() => own.stop());
    const a = await servingTasks({ cluster: redis(own.url, { waitMs: 200 }) });
    const gate = await started(a.url, 'gate');
    own.pause();
    const requests = [
      taskRequest('tasks/get', { taskId: gate }),
      taskRequest('tasks/cancel', { taskId: gate }),
      taskRequest('subscriptions/listen', { notifications: { taskIds: [gate] } }),
    ];
    for (const message of requests) {
      const { taskId } = message.params;
      const answer = await post(a.url, message, {
        ...headersOf(message),
        ...(typeof taskId === 'string' && { 'mcp-name': taskId }),
      });
      expect([message.method, answer.status]).toEqual([message.method, 503]);
      expect(answer.headers['retry-after']).toBe('1');
      expect(JSON.parse(answer.text).error.data).toEqual({ reason: 'cluster-away' });
    }
    const refused = await send(a.url, taskRequest('tools/call', { name: 'gate', arguments: {} }));
    expect(refused.error?.data).toEqual({ reason: 'cluster-away' });
    a.world.open();
    await expect.poll(() => a.world.said).toContain('ended');
    own.resume();
    expect(await until(a.url, gate, isFinal)).toMatchObject({ status: 'completed' });
  });
});
