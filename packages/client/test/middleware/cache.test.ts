import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { cache, type CacheOptions } from '../../src/middleware/index.ts';
import { failureOf } from '../support/failure-of.ts';
import { around, failure, gate, listed, said, type Answer } from './support/around.ts';
import { until } from '../../../../test/support/until.ts';

beforeEach(() => {
  vi.useFakeTimers();
  // To lru-cache, the very beginning of time is no time.
  vi.advanceTimersByTime(1);
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

/** A server that counts its calls in its answers. */
function counting(part: object = {}): Answer {
  let count = 0;
  return () => ({ content: [{ type: 'text', text: String(++count) }], ...part });
}

const all: CacheOptions = { tools: { '*': true } };

describe('what is kept', () => {
  it('results of tools that are marked read-only, once they were listed', async () => {
    const tools = [
      { name: 'read', annotations: { readOnlyHint: true } },
      { name: 'set', annotations: { idempotentHint: true } },
      { name: 'write' },
    ];
    const rig = around(cache(), ({ method }) =>
      method === 'tools/list' ? { tools } : { content: [] },
    );
    await rig.call('read');
    await rig.call('read');
    await rig.send('tools/list', { internal: true }).response;
    for (const tool of ['read', 'set', 'write']) for (let i = 0; i < 3; i++) await rig.call(tool);
    const calls = rig.asked.map(({ params }) => params?.['name']);
    expect(calls.filter((tool) => tool === 'read')).toHaveLength(2 + 1);
    expect(calls.filter((tool) => tool === 'set')).toHaveLength(3);
    expect(calls.filter((tool) => tool === 'write')).toHaveLength(3);
  });

  it('and not of those which a later list calls otherwise', async () => {
    const lists = [listed('a', { readOnlyHint: true }), listed('a', { readOnlyHint: false })];
    const answer = counting();
    const rig = around(cache(), (request) =>
      request.method === 'tools/list' ? (lists.shift() ?? {}) : answer(request),
    );
    await rig.send('tools/list').response;
    await rig.call('a');
    await rig.call('a');
    await rig.send('tools/list').response;
    expect((await rig.call('a')).result['content']).toEqual([{ type: 'text', text: '2' }]);
  });

  it('results of tools that the program names, for the time that it names', async () => {
    const tools = { get_now: false, 'get_*': 1000, other: true };
    const rig = around(cache({ ttlMs: 5000, tools }), counting());
    const callAll = async () => {
      for (const tool of ['get_now', 'get_a', 'other', 'unnamed']) await rig.call(tool);
      return rig.asked.splice(0).map(({ params }) => params?.['name']);
    };
    expect(await callAll()).toEqual(['get_now', 'get_a', 'other', 'unnamed']);
    vi.advanceTimersByTime(1000);
    expect(await callAll()).toEqual(['get_now', 'unnamed']);
    vi.advanceTimersByTime(1);
    expect(await callAll()).toEqual(['get_now', 'get_a', 'unnamed']);
    vi.advanceTimersByTime(4000);
    expect(await callAll()).toEqual(['get_now', 'get_a', 'other', 'unnamed']);
  });

  it.each([
    ['an error of the tool', { isError: true }],
    ['a result that is not complete', { resultType: 'input_required' }],
  ])('not %s', async (_what, part) => {
    const rig = around(cache(all), counting(part));
    await rig.call('a');
    expect((await rig.call('a')).metadata).toEqual({ cache: 'miss' });
    expect(rig.asked).toHaveLength(2);
  });

  it('a result that says that it is complete', async () => {
    const rig = around(cache(all), counting({ resultType: 'complete' }));
    await rig.call('a');
    expect((await rig.call('a')).metadata).toEqual({ cache: 'hit' });
  });

  it('not that of a call with progress, which goes to the caller', async () => {
    const progress: unknown[] = [];
    const rig = around(cache(all), (request) => {
      request.onProgress?.({ progress: 1 });
      return { content: [] };
    });
    const part = { onProgress: (step: unknown) => progress.push(step) };
    await rig.call('a', {}, part);
    await rig.call('a', {}, part);
    expect(rig.asked).toHaveLength(2);
    expect(progress).toEqual([{ progress: 1 }, { progress: 1 }]);
  });

  it.each([
    ['a task', { task: { ttl: 1 } }],
    ['an answer to what the server asked', { inputResponses: {}, requestState: 's' }],
    ['a call whose progress passes by unseen', { _meta: { progressToken: 1 } }],
  ])('not that of %s', async (_what, part) => {
    const rig = around(cache(all));
    const params = { name: 'a', arguments: {}, ...part };
    await rig.send('tools/call', { params }).response;
    expect((await rig.send('tools/call', { params }).response).metadata).toEqual({});
    expect(rig.asked).toHaveLength(2);
  });

  it('nothing but calls of tools', async () => {
    const rig = around(cache(all));
    await rig.send('resources/read', { params: { name: 'a' } }).response;
    await rig.send('resources/read', { params: { name: 'a' } }).response;
    expect(rig.asked).toHaveLength(2);
  });
});

describe('the same call', () => {
  it('has the same name and arguments, in whatever order, whatever it is sent with', async () => {
    const rig = around(cache(all), counting());
    await rig.call('a', { x: 1, y: { b: [1, 2], a: null } });
    await rig.call('a', { y: { a: null, b: [1, 2] }, x: 1, z: undefined });
    const params = { name: 'a', arguments: { x: 1, y: { b: [1, 2], a: null } } };
    await rig.send('tools/call', { params: { ...params, _meta: { traceparent: 'x' } } }).response;
    await rig.call('none');
    await rig.send('tools/call', { params: { name: 'none' } }).response;
    expect(rig.asked).toHaveLength(2);
  });

  it.each([{ x: 2 }, { x: '1' }, { x: 1, y: null }, { x: [1] }, {}])(
    'is another one with %j',
    async (args) => {
      const rig = around(cache(all), counting());
      await rig.call('a', { x: 1 });
      await rig.call('a', args);
      await rig.call('b', { x: 1 });
      expect(rig.asked).toHaveLength(3);
    },
  );

  it('is another one with other headers, but for those that say nothing', async () => {
    const rig = around(cache({ ...all, ignoreHeaders: ['X-Trace', 'x-request-id'] }), counting());
    const as = (headers: Record<string, string>) => rig.call('a', {}, { headers });
    await as({ authorization: 'alice', 'x-trace': '1' });
    await as({ authorization: 'alice', 'x-request-id': '2' });
    await as({ authorization: 'bob' });
    await as({});
    expect(rig.asked).toHaveLength(3);
  });
});

describe('what is handed out', () => {
  it('is everybody’s own', async () => {
    const rig = around(cache(all), () => ({ content: [], structuredContent: { list: [1] } }));
    const [first, waiting] = await Promise.all([rig.call('a'), rig.call('a')]);
    const change = ({ result }: typeof first) =>
      (result['structuredContent'] as { list: number[] }).list.push(2);
    change(first);
    change(waiting);
    change(await rig.call('a'));
    expect((await rig.call('a')).result).toEqual({
      content: [],
      structuredContent: { list: [1] },
    });
    expect(rig.asked).toHaveLength(1);
  });
});

describe('calls at once', () => {
  it('are one, and all get its answer', async () => {
    const answer = gate<object>();
    const rig = around(cache(all), () => answer.promise as Promise<never>);
    const calls = [rig.call('a'), rig.call('a'), rig.call('a')];
    answer.open({ content: ['x'] });
    const responses = await Promise.all(calls);
    expect(responses.map(({ result }) => result)).toEqual(
      Array.from({ length: 3 }, () => ({ content: ['x'] })),
    );
    expect(responses.map(({ metadata }) => metadata['cache'])).toEqual(['miss', 'hit', 'hit']);
    expect(rig.asked).toHaveLength(1);
  });

  it('share a tool’s error, which is not kept', async () => {
    const rig = around(cache(all), counting({ isError: true }));
    const [one, two] = await Promise.all([rig.call('a'), rig.call('a')]);
    expect(two.result).toEqual(one.result);
    await rig.call('a');
    expect(rig.asked).toHaveLength(2);
  });

  it('share a failure, and the next one asks anew', async () => {
    const error = failure('connection-lost', 'outcome-unknown');
    const errors = [error];
    const rig = around(cache(all), () => {
      const next = errors.shift();
      if (next !== undefined) throw next;
      return { content: [] };
    });
    const failures = await Promise.all([rig.call('a'), rig.call('a')].map(failureOf));
    expect(failures).toEqual([error, error]);
    await rig.call('a');
    expect(rig.asked).toHaveLength(2);
  });

  it('do not share that the first was given up: another one asks', async () => {
    const gates = [gate<object>(), gate<object>()];
    let count = 0;
    const rig = around(cache(all), (request) => {
      const { promise } = gates[count++] ?? gate<object>();
      return new Promise((resolve, reject) => {
        request.signal.addEventListener('abort', () => reject(request.signal.reason as Error));
        promise.then((result) => resolve(result as never), reject);
      });
    });
    const params = { name: 'a', arguments: {} };
    const leader = rig.send('tools/call', { params });
    const waiting = [rig.call('a'), rig.call('a')];
    const gone = failureOf(leader.response);
    leader.stop();
    expect((await gone).code).toBe('aborted');
    await until(() => expect(count).toBe(2));
    gates[1]?.open({ content: ['second'] });
    for (const { result } of await Promise.all(waiting)) {
      expect(result).toEqual({ content: ['second'] });
    }
    expect(count).toBe(2);
  });

  it('are left alone by one that is given up while it waits', async () => {
    const answer = gate<object>();
    const rig = around(cache(all), () => answer.promise as Promise<never>);
    const leader = rig.call('a');
    const waiter = rig.send('tools/call', { params: { name: 'a', arguments: {} } });
    const gone = failureOf(waiter.response);
    waiter.stop();
    expect((await gone).code).toBe('aborted');
    answer.open({ content: [] });
    expect((await leader).metadata).toEqual({ cache: 'miss' });
  });

  it('are each on their own from the first progress on', async () => {
    const steps: string[] = [];
    const started = gate<void>();
    let count = 0;
    const rig = around(cache(all), async (request) => {
      const text = String(++count);
      await started.promise;
      request.onProgress?.({ progress: 1, message: text });
      return { content: [{ type: 'text', text }] };
    });
    const onProgress = ({ message }: { message?: string | undefined }) => steps.push(message ?? '');
    const calls = [rig.call('a', {}, { onProgress }), rig.call('a', {}, { onProgress })];
    started.open();
    const responses = await Promise.all(calls);
    expect(steps.toSorted()).toEqual(['1', '2']);
    expect(responses.map(({ metadata }) => metadata['cache'])).toEqual(['miss', 'miss']);
  });
});

describe('forgetting', () => {
  it('by hand, what is on its way included', async () => {
    const gates = [gate<object>(), gate<object>()];
    let count = 0;
    const kept = cache(all);
    const rig = around(kept, () => gates[count++]?.promise as Promise<never>);
    const old = [rig.call('a'), rig.call('a')];
    kept.clear();
    const fresh = rig.call('a');
    gates[0]?.open({ content: ['old'] });
    for (const { result } of await Promise.all(old)) expect(result).toEqual({ content: ['old'] });
    expect(kept.stats().entries).toBe(0);
    gates[1]?.open({ content: ['new'] });
    await fresh;
    expect((await rig.call('a')).result).toEqual({ content: ['new'] });
    expect(kept.stats().entries).toBe(1);
    kept.clear();
    expect(kept.stats()).toMatchObject({ entries: 0, bytes: 0 });
  });

  it('when the tools change, but not which of them only look', async () => {
    const kept = cache();
    const rig = around(kept, ({ method }) =>
      method === 'tools/list' ? listed('a', { readOnlyHint: true }) : { content: [] },
    );
    const { request, response } = rig.send('tools/list');
    await response;
    await rig.call('a');
    kept.onToolsChanged?.(request.client);
    expect(kept.stats().entries).toBe(0);
    expect((await rig.call('a')).metadata).toEqual({ cache: 'miss' });
  });
});

describe('the bounds', () => {
  it('of entries: the one that was used least lately goes', async () => {
    const kept = cache({ ...all, maxEntries: 2 });
    const rig = around(kept);
    for (const tool of ['a', 'b', 'a', 'c', 'a', 'b']) await rig.call(tool);
    expect(rig.asked.map(({ params }) => params?.['name'])).toEqual(['a', 'b', 'c', 'b']);
    expect(kept.stats()).toMatchObject({ hits: 2, misses: 4, evictions: 2, entries: 2 });
  });

  it('of bytes: several go for a large one, and one that is too large is not kept', async () => {
    const kept = cache({ ...all, maxBytes: 1000 });
    const rig = around(kept, ({ params = {} }) => ({
      content: [],
      _meta: { text: 'é'.repeat((params['arguments'] as { size: number }).size / 2) },
    }));
    for (const size of [300, 302, 304]) await rig.call('a', { size });
    const { bytes } = kept.stats();
    expect(kept.stats()).toMatchObject({ evictions: 1, entries: 2 });
    expect(bytes).toBeGreaterThan(600);
    expect(bytes).toBeLessThanOrEqual(1000);
    await rig.call('a', { size: 2000 });
    expect(kept.stats()).toMatchObject({ evictions: 1, entries: 2, bytes });
  });

  it('of time: what has had its time is not counted', async () => {
    const kept = cache({ ...all, ttlMs: 10 });
    const rig = around(kept);
    await rig.call('a');
    vi.advanceTimersByTime(11);
    expect(kept.stats()).toEqual({ hits: 0, misses: 1, evictions: 0, entries: 0, bytes: 0 });
  });
});

it('what JSON cannot say is neither kept nor in the way', async () => {
  const loop: Record<string, unknown> = { content: [] };
  loop['self'] = loop;
  const rig = around(cache(all), () => loop);
  expect((await rig.call('a')).result).toBe(loop);
  expect((await rig.call('a')).result).toBe(loop);
  const deep = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)) as object;
  const plain = around(cache(all), said('ok'));
  expect((await plain.call('a', { deep })).result).toEqual({
    content: [{ type: 'text', text: 'ok' }],
  });
});

it('a wrong option is refused by its name', () => {
  const make = (options: object) => () => cache(options);
  expect(make({ ttl: 1 })).toThrow('cache.ttl: no such option');
  expect(make({ ttlMs: 0 })).toThrow('cache.ttlMs');
  expect(make({ tools: { a: 0 } })).toThrow('cache.tools.a');
  expect(make({ tools: { a: 'yes' } })).toThrow('cache.tools.a');
  expect(make({ maxEntries: 0.5 })).toThrow('cache.maxEntries');
  expect(make({ maxBytes: -1 })).toThrow('cache.maxBytes');
  expect(make({ ignoreHeaders: 'x' })).toThrow('cache.ignoreHeaders');
});
