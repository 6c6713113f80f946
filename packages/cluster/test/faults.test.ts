import { ClusterAwayError, SessionLostError, type Located } from '@longwire/server';
import { createFaultyProxy } from '@longwire/testing';
import { Redis } from 'ioredis';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { startRedis } from '../../../test/cluster/support/redis-server.mjs';
import {
  answer,
  join,
  notification,
  record,
  request,
  until,
  type JoinedNode,
  type JoinOptions,
} from './support/nodes.ts';

/** Closed after each test, the last one first. */
const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

const LEASE_MS = 400;
const WAIT_MS = 1_000;

async function startServer(
  options?: Parameters<typeof startRedis>[0],
): Promise<Awaited<ReturnType<typeof startRedis>>> {
  const server = await startRedis(options);
  opened.push(() => server.stop());
  return server;
}

async function joined(url: string, options: JoinOptions = {}): Promise<JoinedNode> {
  const made = await join(url, { leaseMs: LEASE_MS, waitMs: WAIT_MS, ...options });
  opened.push(() => made.node.leave());
  return made;
}

/** A server that allows a user some keys. */
async function startRestricted(): Promise<{
  url: string;
  admin: Redis;
  allow(keys: string): Promise<unknown>;
}> {
  const server = await startServer();
  const admin = new Redis(server.url);
  opened.push(() => admin.disconnect());
  const allow = async (keys: string): Promise<unknown> =>
    admin.call('ACL', 'SETUSER', 'app', 'on', 'nopass', 'resetkeys', keys, '&*', '+@all');
  await allow('~*');
  return { url: `redis://app:any@127.0.0.1:${server.port}`, admin, allow };
}

/** A node whose connections can be broken. */
async function joinedThroughProxy(
  url: string,
): Promise<JoinedNode & { proxy: Awaited<ReturnType<typeof createFaultyProxy>> }> {
  const proxy = await createFaultyProxy({ target: url.replace('redis:', 'http:'), seed: 1 });
  opened.push(() => proxy.close());
  return { ...(await joined(`redis://127.0.0.1:${proxy.port}`)), proxy };
}

describe('a node that cannot reach Redis', () => {
  it('says that there was no answer where Redis is silent', async () => {
    const server = await startServer();
    const { node } = await joined(server.url);
    server.pause();
    const refused = expect(node.stores.sessions.create(record('one'))).rejects;
    await refused.toMatchObject({ cause: { message: `no answer of Redis within ${WAIT_MS} ms` } });
    server.resume();
  });

  it('looks at what it owns until it has seen it: the first look may fail', async () => {
    const { url, allow, admin } = await startRestricted();
    const { node, told } = await joined(url);
    await node.stores.sessions.create(record('one'));
    // It reaches all of its own except for the sessions, and its lease ends once.
    await allow(`~*${node.name}*`);
    const [lease] = await admin.keys(`*lease*${node.name}*`);
    await admin.del(lease ?? '');
    await until(() => !node.isSurelyHere('one'));
    await new Promise((resolve) => setTimeout(resolve, WAIT_MS * 1.5));
    await allow('~*');
    await until(() => node.isSurelyHere('one'));
    expect(told.lost).toEqual([]);
  });

  it('says how many sessions it has until that is known', async () => {
    const { url, allow } = await startRestricted();
    // No lease ends, after which it would say all of it again.
    const options = { leaseMs: 600_000 };
    const [a, b] = [await joined(url, options), await joined(url, options)];
    await a.node.stores.sessions.create(record('one'));
    expect(await b.node.stores.sessions.count()).toBe(1);
    await allow('~*:s:{*');
    await expect(a.node.release('one')).rejects.toBeInstanceOf(ClusterAwayError);
    await allow('~*');
    // After a minute Redis forgets what it was told before.
    await until(async () => (await b.node.stores.sessions.count()) === 0, 40_000);
  });

  it('loses its session to another node, and cannot write when it is back', async () => {
    const server = await startServer();
    const a = await joinedThroughProxy(server.url);
    const b = await joined(server.url);
    await a.node.stores.sessions.create(record('one'));
    await a.node.begin('one', request(1));
    a.proxy.cutAll();
    a.proxy.refuse();
    // It was sent while nobody could take it, and comes late.
    const late = Promise.resolve(a.node.stores.events.append('one', answer(1, 1)));
    const refused = expect(late).rejects.toBeInstanceOf(SessionLostError);
    await until(() => !a.node.isSurelyHere('one') && !a.node.isUp);
    await expect(a.node.locate('one')).rejects.toBeInstanceOf(ClusterAwayError);
    const located: Located[] = [];
    await until(async () => {
      located.push(await b.node.locate('one'));
      return located.at(-1)?.at !== 'elsewhere';
    });
    expect(located.at(-1)).toMatchObject({
      at: 'taken',
      taken: { fence: 2, running: [request(1)] },
    });
    await b.node.stores.events.append('one', answer(1, 1));
    await a.proxy.resume();
    await refused;
    await until(() => a.told.lost.length > 0);
    expect(a.told.lost).toEqual(['one']);
    expect(await a.node.locate('one')).toMatchObject({ at: 'elsewhere', node: b.node.name });
    const { events } = await b.node.stores.events.readAfter('one', 0);
    expect(events).toEqual([answer(1, 1)]);
    expect(await b.node.stores.sessions.count()).toBe(1);
  });

  it('keeps its session where nobody has met it, and writes what waited', async () => {
    const server = await startServer();
    const { node, told, proxy } = await joinedThroughProxy(server.url);
    await node.stores.sessions.create(record('one'));
    proxy.cutAll();
    proxy.refuse();
    const waiting = [1, 2, 3].map(async (seq) =>
      node.stores.events.append('one', notification(seq)),
    );
    await expect(node.begin('one', request(1))).rejects.toBeInstanceOf(ClusterAwayError);
    await until(() => !node.isUp);
    await proxy.resume();
    await Promise.all(waiting);
    await until(() => node.isSurelyHere('one'));
    const { events } = await node.stores.events.readAfter('one', 0);
    expect(events.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(told.lost).toEqual([]);
    // What was refused does not count as running.
    await until(() => told.missed.length > 0);
    await node.release('one');
    expect(await node.locate('one')).toMatchObject({ at: 'taken', taken: { running: [] } });
  });

  it.each(['reset', 'stall'] as const)(
    'reads its inbox again after a %s in the middle of a read, nothing lost or doubled',
    async (how) => {
      const server = await startServer();
      const [a, b] = [await joined(server.url), await joinedThroughProxy(server.url)];
      const sent: number[] = [];
      const send = async (): Promise<void> => {
        const n = sent.push(sent.length);
        await a.node.send(b.node.name, { kind: 'x', session: '', n } as never);
      };
      for (let round = 0; round < 3; round++) {
        await Promise.all(Array.from({ length: 50 }, send));
        if (how === 'reset') b.proxy.cutAll();
        else b.proxy.stallAll('both');
        // Its lease may end meanwhile: then nothing is sent to it.
        await until(() => b.node.isUp);
      }
      await until(async () => {
        await send();
        return b.told.received.length > 150;
      });
      const numbers = b.told.received.map(({ message }) => (message as never as { n: number }).n);
      expect(numbers).toEqual(numbers.toSorted((x, y) => x - y));
      expect(new Set(numbers).size).toBe(numbers.length);
      expect(numbers.slice(0, 50)).toEqual(Array.from({ length: 50 }, (_, n) => n + 1));
    },
  );

  it('hears again what is published, and says that it may have missed something', async () => {
    const server = await startServer();
    const [a, b] = [await joined(server.url), await joinedThroughProxy(server.url)];
    await a.node.stores.sessions.create(record('one'));
    a.node.readAt('one', 0, { node: b.node.name, reader: 'r' });
    b.proxy.cutAll();
    await until(() => b.told.missed.length > 0);
    await a.node.stores.events.append('one', notification(1));
    await until(() => b.told.published.length > 0);
    expect(b.told.published.map(({ event }) => event)).toEqual([notification(1)]);
  });
});

describe('a Redis', () => {
  it('that answers nothing for longer than a lease costs nobody a session', async () => {
    const server = await startServer();
    const [a, b] = [await joined(server.url), await joined(server.url)];
    await a.node.stores.sessions.create(record('one'));
    server.pause();
    await until(() => !a.node.isUp && !b.node.isUp);
    const waiting = a.node.stores.events.append('one', notification(1));
    await expect(b.node.locate('one')).rejects.toBeInstanceOf(ClusterAwayError);
    server.resume();
    expect(await b.node.locate('one')).toMatchObject({ at: 'elsewhere', node: a.node.name });
    await waiting;
    await until(() => a.node.isSurelyHere('one') && a.node.isUp);
    expect([a.told.lost, b.told.lost]).toEqual([[], []]);
  });

  it('that is started again, empty, is told what its nodes know', async () => {
    const server = await startServer();
    const [a, b] = [await joined(server.url), await joined(server.url)];
    await a.node.stores.sessions.create(record('one', { resume: 'digest' }));
    await a.node.stores.events.append('one', notification(1));
    await a.node.begin('one', request(1));
    await server.kill();
    const waiting = a.node.stores.events.append('one', answer(2, 1));
    await until(() => !a.node.isUp);
    await server.start();
    await waiting;
    expect(await b.node.locate('one')).toMatchObject({
      at: 'elsewhere',
      node: a.node.name,
      record: record('one', { resume: 'digest' }),
    });
    expect(await a.node.stores.events.readAfter('one', 1)).toEqual({
      events: [answer(2, 1)],
      isComplete: true,
    });
    expect(await a.node.stores.events.readAfter('one', 0)).toMatchObject({ isComplete: false });
    expect(a.told.lost).toEqual([]);
    await until(async () => (await b.node.stores.sessions.count('ada')) === 1);
    await a.node.stores.sessions.delete('one');
    await until(async () => (await b.node.locate('one')).at === 'nowhere');
  });

  it('that is full refuses what is new, and loses nothing of what runs', async () => {
    const server = await startServer();
    const [a, b] = [await joined(server.url), await joined(server.url)];
    const { sessions, events } = a.node.stores;
    await sessions.create(record('one'));
    await a.node.begin('one', request(1));
    const client = new Redis(server.url);
    opened.push(() => client.disconnect());
    await client.config('SET', 'maxmemory', '1mb');
    await expect(a.node.begin('one', request(2))).rejects.toBeInstanceOf(ClusterAwayError);
    await expect(sessions.create(record('two'))).rejects.toBeInstanceOf(ClusterAwayError);
    await events.append('one', answer(1, 1));
    expect(await a.node.send(b.node.name, { kind: 'x', session: '' })).toBe(true);
    expect(a.node.isUp).toBe(true);
    await a.node.leave();
    expect(await b.node.locate('one')).toMatchObject({
      at: 'taken',
      taken: { seq: 1, running: [] },
    });
  });

  it('that somebody has emptied is told what its nodes know', async () => {
    const server = await startServer();
    const { node, told } = await joined(server.url);
    await node.stores.sessions.create(record('one'));
    await node.begin('one', request(1));
    const client = new Redis(server.url);
    opened.push(() => client.disconnect());
    await client.flushall();
    await node.stores.events.append('one', answer(1, 1));
    expect(await node.locate('one')).toEqual({ at: 'here' });
    expect(told.lost).toEqual([]);
  });

  it('that was emptied is told of any number of requests that run', async () => {
    const server = await startServer();
    const [a, b] = [await joined(server.url), await joined(server.url)];
    await a.node.stores.sessions.create(record('one'));
    const ids = Array.from({ length: 5_000 }, (_, index) => index);
    await Promise.all(ids.map(async (id) => a.node.begin('one', request(id))));
    const client = new Redis(server.url);
    opened.push(() => client.disconnect());
    await client.flushall();
    await a.node.stores.events.append('one', notification(1));
    await a.node.leave();
    const located = await b.node.locate('one');
    const running = located.at === 'taken' ? located.taken.running : [];
    expect(running.map(({ id }) => Number(id)).toSorted((x, y) => x - y)).toEqual(ids);
  });

  it('that does not know a node yet takes messages for it, in order, and tells nobody that it is gone', async () => {
    const server = await startServer();
    // No lease is renewed by itself meanwhile.
    const [a, b] = [
      await joined(server.url, { leaseMs: 60_000 }),
      await joined(server.url, { leaseMs: 60_000 }),
    ];
    const client = new Redis(server.url);
    opened.push(() => client.disconnect());
    await client.flushall();
    const sent = Array.from({ length: 20 }, (_, n) => ({ kind: 'x', session: '', n }));
    const areThere = await Promise.all(sent.map((message) => a.node.send(b.node.name, message)));
    expect(areThere).toEqual(sent.map(() => true));
    await until(() => b.told.received.length === sent.length);
    expect(b.told.received).toEqual(sent.map((message) => ({ message, from: a.node.name })));
    expect(a.told.gone).toEqual([]);
    const [inbox = ''] = await client.keys('*inbox*');
    expect(await client.pttl(inbox)).toBeGreaterThan(0);
    await client.flushall();
    expect(await b.node.isAlive(a.node.name)).toBe(true);
  });

  it('to which a node does not come back counts it as gone after a lease', async () => {
    const server = await startServer();
    const [a, b] = [await joined(server.url), await joinedThroughProxy(server.url)];
    await a.node.send(b.node.name, { kind: 'x', session: '' });
    await server.kill();
    b.proxy.cutAll();
    b.proxy.refuse();
    await server.start();
    await until(() => a.node.isUp);
    await until(() => a.told.gone.includes(b.node.name));
    expect(await a.node.send(b.node.name, { kind: 'x', session: '' })).toBe(false);
    expect(await a.node.isAlive(b.node.name)).toBe(false);
  });

  it('that is started again with what it had gives sessions to the next owner', async () => {
    const server = await startServer({ isPersistent: true });
    const a = await joined(server.url);
    await a.node.stores.sessions.create(record('one'));
    await a.node.leave();
    await server.kill();
    await server.start();
    const b = await joined(server.url);
    expect(await b.node.locate('one')).toMatchObject({ at: 'taken', taken: { fence: 2 } });
  });
});

describe('joining', () => {
  it('says what is wrong, without the password', async () => {
    const server = await startServer({ args: ['--requirepass', 'right-password'] });
    const address = `127.0.0.1:${server.port}`;
    await expect(joined(`redis://:wrong-password@${address}`)).rejects.toThrow(
      new RegExp(`^Redis at ${address}: .*WRONGPASS`),
    );
    await expect(joined(`redis://:wrong-password@${address}`)).rejects.not.toThrow(
      'wrong-password',
    );
    // A program may print all of an error.
    const error = await joined(`redis://:wrong-password@${address}`).catch(
      (failed: unknown) => failed,
    );
    expect(inspect(error, { depth: null })).not.toContain('wrong-password');
    await expect(joined(server.url)).rejects.toThrow(/NOAUTH: it asks for a password/);
    await server.kill();
    await expect(joined(`redis://:right-password@${address}`)).rejects.toThrow(/ECONNREFUSED/);
    await server.start();
    const { node } = await joined(`redis://:right-password@${address}`);
    expect(node.isUp).toBe(true);
  });

  it('says that a user may not listen to channels', async () => {
    const server = await startServer();
    const client = new Redis(server.url);
    opened.push(() => client.disconnect());
    await client.call('ACL', 'SETUSER', 'app', 'on', '>word', '~*', '+@all');
    const url = `redis://app:word@127.0.0.1:${server.port}`;
    await expect(joined(url)).rejects.toThrow(/channels/);
    await client.call('ACL', 'SETUSER', 'app', '&longwire:*');
    expect((await joined(url)).node.isUp).toBe(true);
  });

  it.each([
    ['http://127.0.0.1', {}, 'a URL must be redis://'],
    ['', {}, 'a URL must be redis://'],
    [[], {}, 'give a URL'],
    ['redis://127.0.0.1', { leaseMs: 10 }, 'leaseMs must be'],
    ['redis://127.0.0.1', { replicas: 0.5 }, 'replicas must be'],
    ['redis://127.0.0.1', { prefix: '{a}' }, 'prefix must be'],
    ['redis://127.0.0.1', { encrypt: { keys: ['c2hvcnQ='] } }, 'encrypt.keys[0] must be 32 bytes'],
    ['redis://127.0.0.1', { lease: 1 }, 'there is no option lease'],
  ])('refuses %j with %j', async (url, options, why) => {
    await expect(join(url, options as JoinOptions)).rejects.toThrow(why);
  });
});
