import { ClusterAwayError, SessionLostError } from '@longwire/server';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRedis } from '../../../test/cluster/support/redis-server.mjs';
import { answer, join, notification, record, request, until } from './support/nodes.ts';

let server: Awaited<ReturnType<typeof startRedis>>;
let mounts = 0;
const mount = (): string => `/node-${++mounts}`;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

it('knows the names of the others, until they leave', async () => {
  const given = { mount: mount() };
  const [{ node: a }, { node: b }] = [await join(server.url, given), await join(server.url, given)];
  const { node: elsewhere } = await join(server.url, { mount: mount() });
  expect([await a.nodes(), await b.nodes(), await elsewhere.nodes()]).toEqual([
    [b.name],
    [a.name],
    [],
  ]);
  await b.leave();
  expect(await a.nodes()).toEqual([]);
  await Promise.all([a.leave(), elsewhere.leave()]);
});

describe('a session', () => {
  it('is found by other nodes where it is, and nowhere else', async () => {
    const given = { mount: mount() };
    const [{ node: a }, { node: b }] = [
      await join(server.url, given),
      await join(server.url, given),
    ];
    await a.stores.sessions.create(record('one', { logLevel: 'info' }));
    expect(await a.locate('one')).toEqual({ at: 'here' });
    expect(a.isSurelyHere('one')).toBe(true);
    expect(b.isSurelyHere('one')).toBe(false);
    expect(await b.locate('one')).toEqual({
      at: 'elsewhere',
      node: a.name,
      record: record('one', { logLevel: 'info' }),
    });
    expect(await b.locate('two')).toEqual({ at: 'nowhere' });
    await a.stores.sessions.delete('one');
    expect(await b.locate('one')).toEqual({ at: 'nowhere' });
    await Promise.all([a.leave(), b.leave()]);
  });

  it('does not say of a request that it runs whose answer was too long to be kept', async () => {
    const given = { mount: mount(), eventLog: { maxBytes: 500 } };
    const [{ node: a }, { node: b }] = [
      await join(server.url, given),
      await join(server.url, given),
    ];
    await a.stores.sessions.create(record('one'));
    await a.begin('one', request('long'));
    await a.stores.events.append('one', { ...answer(1, 'long'), data: 'x'.repeat(1_000) });
    await a.leave();
    expect(await b.locate('one')).toMatchObject({
      taken: {
        running: [],
        answered: [{ id: 'long', digest: 'digest-long', stream: 1, answeredAt: 1 }],
      },
    });
    await b.leave();
  });

  it('knows of a request that was answered before Redis was told of it', async () => {
    const given = { mount: mount(), eventLog: { maxBytes: 500 } };
    const [{ node: a }, { node: b }] = [
      await join(server.url, given),
      await join(server.url, given),
    ];
    await a.stores.sessions.create(record('one'));
    const long = { ...answer(2, 'long', 2), data: 'x'.repeat(1_000) };
    await Promise.all([
      a.begin('one', request('short'), false),
      a.begin('one', request('long', 2), false),
      a.begin('one', request('runs', 3), false),
      a.stores.events.append('one', answer(1, 'short'), true),
      a.stores.events.append('one', long, true),
    ]);
    await a.leave();
    const located = await b.locate('one');
    if (located.at !== 'taken') throw new Error(located.at);
    const { running, answered } = located.taken;
    expect(running).toEqual([request('runs', 3)]);
    expect(answered).toEqual([
      { id: 'short', digest: 'digest-short', stream: 1, answeredAt: 1 },
      { id: 'long', digest: 'digest-long', stream: 2, answeredAt: 2 },
    ]);
    await b.leave();
  });

  it('is taken from a node that has left, with what ran and what was answered', async () => {
    const given = { mount: mount() };
    const [{ node: a }, { node: b }] = [
      await join(server.url, given),
      await join(server.url, given),
    ];
    await a.stores.sessions.create(record('one'));
    await a.stores.sessions.update('one', { isInitialized: true, subscriptions: ['x:y'] });
    await a.begin('one', request('first'));
    await a.begin('one', request(2, 2));
    await a.begin('one', request(3, 3));
    a.end('one', 3);
    await a.stores.events.append('one', notification(1));
    await a.stores.events.append('one', answer(2, 'first'));
    await a.leave();
    const located = await b.locate('one');
    expect(located).toEqual({
      at: 'taken',
      taken: {
        record: record('one', { isInitialized: true, subscriptions: ['x:y'] }),
        fence: 2,
        seq: 2,
        running: [request(2, 2)],
        answered: [{ id: 'first', digest: 'digest-first', stream: 1, answeredAt: 2 }],
      },
    });
    expect(await b.locate('one')).toEqual({ at: 'here' });
    expect(await b.stores.events.readAfter('one', 0)).toEqual({
      events: [notification(1), answer(2, 'first')],
      isComplete: true,
    });
    await b.stores.events.append('one', answer(3, 2, 2));
    await b.leave();
  });

  it('is taken by one of those that meet it at once', async () => {
    const given = { mount: mount() };
    const nodes = await Promise.all([1, 2, 3, 4].map(() => join(server.url, given)));
    const [owner, ...others] = nodes.map(({ node }) => node);
    await owner?.stores.sessions.create(record('one'));
    await owner?.leave();
    const located = await Promise.all([...others, ...others].map((node) => node.locate('one')));
    expect(located.filter(({ at }) => at === 'taken')).toHaveLength(1);
    expect(located.filter(({ at }) => at === 'nowhere')).toHaveLength(0);
    await Promise.all(others.map((node) => node.leave()));
  });

  it('that was let go is taken by whoever meets it, or by the one that it was given to', async () => {
    const given = { mount: mount() };
    const [{ node: a }, { node: b }] = [
      await join(server.url, given),
      await join(server.url, given),
    ];
    await a.stores.sessions.create(record('one'));
    await a.stores.sessions.create(record('two'));
    await a.release('one');
    await a.release('two', b.name);
    expect(await a.locate('two')).toMatchObject({ at: 'elsewhere', node: b.name });
    expect(await b.locate('two')).toMatchObject({ at: 'taken', taken: { fence: 2 } });
    expect(await a.locate('one')).toMatchObject({ at: 'taken', taken: { fence: 2 } });
    await expect(b.begin('one', request(1))).rejects.toBeInstanceOf(SessionLostError);
    await Promise.all([a.leave(), b.leave()]);
  });

  it('that ends, is let go or is lost does not count any more', async () => {
    const given = { mount: mount() };
    const [{ node: a }, { node: b }] = [
      await join(server.url, given),
      await join(server.url, given),
    ];
    for (const id of ['one', 'two']) {
      await a.stores.sessions.create(record(id));
      await a.stores.events.append(id, notification(1));
    }
    expect(a.stores.events.bytes).toBeGreaterThan(0);
    await a.stores.sessions.delete('one');
    await a.stores.events.delete('one');
    await a.release('two');
    expect(a.stores.events.bytes).toBe(0);
    expect(await b.stores.sessions.count()).toBe(0);
    expect(await b.locate('two')).toMatchObject({ at: 'taken' });
    expect(b.stores.events.bytes).toBeGreaterThan(0);
    await until(async () => (await a.stores.sessions.count('ada')) === 1);
    await Promise.all([a.leave(), b.leave()]);
  });

  it('keeps its messages in their order, each once, and refuses one that comes too early', async () => {
    const given = { mount: mount() };
    const { node } = await join(server.url, given);
    const { sessions, events } = node.stores;
    await sessions.create(record('one'));
    await events.append('one', notification(1));
    await events.append('one', notification(1));
    await expect(events.append('one', notification(3))).rejects.toBeInstanceOf(ClusterAwayError);
    await events.append('one', notification(2));
    await events.append('one', notification(3));
    expect((await events.readAfter('one', 0)).events.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    await node.leave();
  });
});

describe('messages between nodes', () => {
  it('come in order, once, and only to those that live', async () => {
    const given = { mount: mount() };
    const [a, b] = [await join(server.url, given), await join(server.url, given)];
    const sent = Array.from({ length: 2_000 }, (_, n) => ({ kind: 'post', session: 'ä', n }));
    const arrived = await Promise.all(sent.map((message) => a.node.send(b.node.name, message)));
    expect(arrived.every((isAlive) => isAlive)).toBe(true);
    await until(() => b.told.received.length >= sent.length);
    expect(b.told.received).toEqual(sent.map((message) => ({ message, from: a.node.name })));
    expect(await a.node.send('nobody', { kind: 'post', session: '' })).toBe(false);
    await b.node.leave();
    await until(() => a.told.gone.includes(b.node.name));
    expect(await a.node.send(b.node.name, { kind: 'post', session: '' })).toBe(false);
    expect(await a.node.isAlive(b.node.name)).toBe(false);
    await a.node.leave();
  });

  it('are published for the reader of a stream when they are kept', async () => {
    const given = { mount: mount() };
    const [a, b] = [await join(server.url, given), await join(server.url, given)];
    await a.node.stores.sessions.create(record('one'));
    a.node.readAt('one', 1, { node: b.node.name, reader: 'r' });
    const [first, second] = [answer(1, 'x\n y'), notification(2)];
    await a.node.stores.events.append('one', first);
    await a.node.stores.events.append('one', second);
    expect(a.node.wasPublished(first)).toBe(true);
    expect(a.node.wasPublished(second)).toBe(false);
    a.node.readAt('one', 1);
    await a.node.stores.events.append('one', notification(3, 1));
    await a.node.send(b.node.name, { kind: 'done', session: 'one' });
    await until(() => b.told.received.length > 0 && b.told.published.length > 0);
    expect(b.told.published).toEqual([{ reader: 'r', sessionId: 'one', event: first }]);
    await Promise.all([a.node.leave(), b.node.leave()]);
  });
});

describe('what is left', () => {
  it('has a time to live, and holds no session id', async () => {
    const given = { mount: mount() };
    const [{ node: a }, { node: b }] = [
      await join(server.url, given),
      await join(server.url, given),
    ];
    await a.stores.sessions.create(record('secret-id', { resume: 'digest' }));
    await a.begin('secret-id', request(1));
    await a.stores.events.append('secret-id', answer(1, 1));
    await a.send(b.name, { kind: 'x', session: '' });
    await b.stores.sessions.count();
    const client = new Redis(server.url);
    const keys = await client.keys('*');
    expect(keys.length).toBeGreaterThan(5);
    for (const key of keys) {
      expect([key, await client.pttl(key)]).toEqual([key, expect.any(Number)]);
      expect(await client.pttl(key), key).toBeGreaterThan(0);
      expect(key).not.toContain('secret-id');
    }
    client.disconnect();
    await Promise.all([a.leave(), b.leave()]);
  });
});
