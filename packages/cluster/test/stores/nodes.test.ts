import type { ServerEvent } from '@modelcontextprotocol/server';
import { ClusterAwayError, type TaskRecord } from '@longwire/server';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { startRedis } from '../../../../test/cluster/support/redis-server.mjs';
import { expectNothingLeftOpen } from '../../../../test/support/open-handles.ts';
import { createStores } from '../../src/stores/create-stores.ts';
import { RedisEventBus } from '../../src/stores/redis-event-bus.ts';
import { RedisRateStore } from '../../src/stores/redis-rate-store.ts';
import { RedisRevocationStore } from '../../src/stores/redis-revocation-store.ts';
import { RedisTaskStore } from '../../src/stores/redis-task-store.ts';
import { BareConnection } from '../support/bare-connection.ts';
import { until } from '../../../../test/support/until.ts';

expectNothingLeftOpen();

let redis: Awaited<ReturnType<typeof startRedis>>;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => {
  await redis.stop();
});

let one: BareConnection;
let other: BareConnection;
beforeEach(async () => {
  one = new BareConnection(redis.url);
  other = new BareConnection(redis.url);
  await one.redis.flushall();
});
afterEach(async () => {
  await Promise.all([one.close(), other.close()]);
});

describe('rates of two nodes', () => {
  it('are counted together', async () => {
    const limit = { max: 6, windowMs: 60_000 };
    const stores = [new RedisRateStore(one), new RedisRateStore(other)];
    const taken = await Promise.all(
      Array.from({ length: 20 }, async (_none, at) => stores[at % 2]!.take('a', limit)),
    );
    expect(taken.filter(({ isAllowed }) => isAllowed)).toHaveLength(6);
  });

  it('are allowed at once far from a large limit, and exactly near it', async () => {
    const limit = { max: 100, windowMs: 3_600_000 };
    const store = new RedisRateStore(one);
    await store.take('a', limit);
    const run = vi.spyOn(one, 'run');
    for (let taken = 2; taken <= 80; taken++) {
      expect(store.take('a', limit)).toMatchObject({ isAllowed: true, left: 100 - taken });
    }
    expect(run).not.toHaveBeenCalled();
    for (let taken = 81; taken <= 100; taken++) {
      expect(await store.take('a', limit)).toMatchObject({ isAllowed: true, left: 100 - taken });
    }
    expect((await store.take('a', limit)).isAllowed).toBe(false);
    run.mockRestore();
    store.close();
  });

  it('let others know what was allowed at once', async () => {
    const limit = { max: 100, windowMs: 3_600_000 };
    const [here, there] = [new RedisRateStore(one), new RedisRateStore(other)];
    await here.take('a', limit);
    const told = vi.spyOn(one, 'run');
    for (let taken = 2; taken <= 60; taken++) await here.take('a', limit);
    await until(() => expect(told).toHaveBeenCalledTimes(1));
    await told.mock.results[0]!.value;
    expect(await there.take('a', limit)).toMatchObject({ isAllowed: true, left: 39 });
    told.mockRestore();
    here.close();
    there.close();
  });

  it('are counted by each node while Redis is away, without waiting', async () => {
    const limit = { max: 2, windowMs: 60_000 };
    const store = new RedisRateStore(one);
    await store.take('a', limit);
    await store.take('a', limit);
    expect((await store.take('a', limit)).isAllowed).toBe(false);
    one.isUp = false;
    const run = vi.spyOn(one, 'run');
    const alone = [await store.take('a', limit), await store.take('a', limit)];
    expect(alone.map(({ isAllowed }) => isAllowed)).toEqual([true, true]);
    expect((await store.take('a', limit)).isAllowed).toBe(false);
    expect(run).not.toHaveBeenCalled();
    one.isUp = true;
    expect((await store.take('a', limit)).isAllowed).toBe(false);
    run.mockRejectedValue(new ClusterAwayError());
    expect((await store.take('b', limit)).isAllowed).toBe(true);
    run.mockRestore();
  });

  it('take a name of any length and form', async () => {
    const limit = { max: 1, windowMs: 60_000 };
    const store = new RedisRateStore(one);
    for (const key of [`principal:${'x'.repeat(512)}`, 'tool:*:a b{c}', '']) {
      expect((await store.take(key, limit)).isAllowed).toBe(true);
      expect((await store.take(key, limit)).isAllowed).toBe(false);
    }
    for (const key of await one.redis.keys('*')) expect(key.length).toBeLessThan(100);
  });
});

describe('an event bus of two nodes', () => {
  const heardBy = (bus: RedisEventBus): string[] => {
    const heard: string[] = [];
    bus.subscribe((event: ServerEvent) =>
      heard.push('uri' in event ? `${event.kind} ${event.uri}` : event.kind),
    );
    return heard;
  };

  it('tells each of them once, its own at once', async () => {
    const [here, there] = [new RedisEventBus(one), new RedisEventBus(other)];
    const heard = { here: heardBy(here), there: heardBy(there) };
    await Promise.all([one.subscribed(), other.subscribed()]);
    here.publish({ kind: 'resource_updated', uri: 'a' });
    expect(heard.here).toEqual(['resource_updated a']);
    await until(() => expect(heard.there).toEqual(['resource_updated a']));
    there.publish({ kind: 'tools_list_changed' });
    here.publish({ kind: 'prompts_list_changed' });
    await until(() => {
      expect(heard.here).toHaveLength(3);
      expect(heard.there).toHaveLength(3);
    });
    here.close();
    there.close();
  });

  it('tells what was missed, in order and once', async () => {
    const [here, there] = [new RedisEventBus(one), new RedisEventBus(other)];
    const heard = heardBy(there);
    await other.subscribed();
    here.publish({ kind: 'tools_list_changed' });
    await until(() => expect(heard).toEqual(['tools_list_changed']));
    const listenAgain = await other.deafen('test:bus');
    here.publish({ kind: 'resource_updated', uri: 'a' });
    here.publish({ kind: 'resource_updated', uri: 'b' });
    await until(async () => expect(await one.redis.xlen('test:bus')).toBe(3));
    await listenAgain();
    other.miss();
    other.miss();
    await until(() => expect(heard).toHaveLength(3));
    here.publish({ kind: 'prompts_list_changed' });
    await until(() => expect(heard).toHaveLength(4));
    expect(heard.slice(1)).toEqual([
      'resource_updated a',
      'resource_updated b',
      'prompts_list_changed',
    ]);
    here.close();
    there.close();
  });

  it('sends what was published while Redis was away, each event once', async () => {
    const [here, there] = [new RedisEventBus(one), new RedisEventBus(other)];
    const heard = heardBy(there);
    await other.subscribed();
    const run = vi.spyOn(one, 'run').mockRejectedValueOnce(new ClusterAwayError());
    here.publish({ kind: 'resource_updated', uri: 'a' });
    await until(() => expect(run).toHaveBeenCalled());
    here.publish({ kind: 'resource_updated', uri: 'b' });
    here.publish({ kind: 'resource_updated', uri: 'b' });
    await until(() => expect(heard).toEqual(['resource_updated a', 'resource_updated b']));
    run.mockRestore();
    here.close();
    there.close();
  });
});

describe('revoked keys of two nodes', () => {
  it('are known to each of them, also to one that starts later or has missed it', async () => {
    const [here, there] = [new RedisRevocationStore(one), new RedisRevocationStore(other)];
    const told: string[] = [];
    there.listen((sha256) => told.push(sha256));
    await Promise.all([one.subscribed(), other.subscribed()]);
    const revoking = here.revoke('aa');
    expect(here.isRevoked('aa')).toBe(true);
    await revoking;
    await until(() => expect(there.isRevoked('aa')).toBe(true));
    const listenAgain = await other.deafen('test:revoked');
    await here.revoke('bb');
    expect(there.isRevoked('bb')).toBe(false);
    await listenAgain();
    other.miss();
    await until(() => expect(there.isRevoked('bb')).toBe(true));
    await here.revoke('aa');
    expect(told).toEqual(['aa', 'bb']);
    const later = createStores(other);
    await later.start();
    expect(['aa', 'bb', 'cc'].map((it) => later.revocations.isRevoked(it))).toEqual([
      true,
      true,
      false,
    ]);
    expect(await one.redis.pttl('test:revoked')).toBeGreaterThan(0);
    for (const it of [here, there, later]) it.close();
  });
});

describe('a store of tasks of two nodes', () => {
  const given = {
    taskId: 'one',
    principal: 'ada',
    tool: 'render',
    era: 'modern',
    status: 'working',
    ttlMs: 60_000,
  } as const;

  it('shows each node what the other has written, and tells it', async () => {
    const [here, there] = [new RedisTaskStore(one), new RedisTaskStore(other)];
    const record = (await here.create(given)) as TaskRecord;
    expect(await there.get('ada', 'one')).toEqual(record);
    let told = 0;
    const stop = here.listen('one', () => told++);
    await until(() => expect(told).toBe(1));
    await there.update('ada', 'one', { version: 1, changes: { statusMessage: 'on' } });
    await until(() => expect(told).toBe(2));
    one.miss();
    expect(told).toBe(3);
    stop();
    one.miss();
    expect(told).toBe(3);
    expect((await here.get('ada', 'one'))!.statusMessage).toBe('on');
  });

  it('holds nothing in clear that a tool or its client said', async () => {
    const store = new RedisTaskStore(one);
    await store.create({ ...given, statusMessage: 'a secret' });
    const result = { content: [{ type: 'text', text: 'a secret' }] };
    await store.update('ada', 'one', { version: 1, changes: { status: 'completed', result } });
    const [key] = await one.redis.keys('*task:one');
    const fields = await one.redis.hgetall(key!);
    expect(Object.values(fields).filter((text) => text.includes('secret'))).toEqual([]);
    expect((await store.get('ada', 'one'))!.result).toEqual(result);
  });

  it('does not know a task of which something belongs to another one, or has no sense', async () => {
    const store = new RedisTaskStore(one);
    await store.create({ ...given, statusMessage: 'of one' });
    await store.create({ ...given, taskId: 'two', statusMessage: 'of two' });
    const [key = ''] = await one.redis.keys('*task:one');
    const [other = ''] = await one.redis.keys('*task:two');
    const whole = await one.redis.hgetall(key);
    const secondMessage = String(await one.redis.hget(other, 'statusMessage'));
    for (const changed of [
      { statusMessage: secondMessage },
      { statusMessage: String(whole['tool']) },
      { statusMessage: '"plain"' },
      { taskId: '"two"' },
      { status: '"done"' },
      { version: 'many' },
      { createdAt: '{' },
    ]) {
      await one.redis.hset(key, { ...whole, ...changed });
      expect(await store.get('ada', 'one'), JSON.stringify(changed)).toBeUndefined();
      expect((await store.list('ada')).tasks.map(({ taskId }) => taskId)).toEqual(['two']);
    }
    expect(one.unread.length).toBeGreaterThanOrEqual(14);
    await one.redis.hset(key, whole);
    expect(await store.get('ada', 'one')).toMatchObject({ statusMessage: 'of one' });
  });

  it('begins no task for a principal whose tasks are too large, until one of them is gone', async () => {
    const store = new RedisTaskStore(one, { maxBytesPerPrincipal: 10_000 });
    await store.create(given);
    const result = { content: [{ type: 'text', text: 'x'.repeat(10_000) }] };
    await store.update('ada', 'one', { version: 1, changes: { status: 'completed', result } });
    expect(await store.create({ ...given, taskId: 'two' })).toBe('too-many');
    expect(await store.create({ ...given, taskId: 'two', principal: 'bob' })).not.toBe('too-many');
    await store.delete('ada', 'one');
    expect(await store.create({ ...given, taskId: 'three' })).not.toBe('too-many');
  });

  it('takes the id of a task again that was refused', async () => {
    const store = new RedisTaskStore(one, { maxPerPrincipal: 1 });
    await store.create(given);
    expect(await store.create({ ...given, taskId: 'two' })).toBe('too-many');
    await store.delete('ada', 'one');
    expect(await store.create({ ...given, taskId: 'two' })).toMatchObject({ taskId: 'two' });
  });
});
