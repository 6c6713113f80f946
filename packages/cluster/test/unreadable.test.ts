import { Redis } from 'ioredis';
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startRedis } from '../../../test/cluster/support/redis-server.mjs';
import { answer, join, notification, record, request, until } from './support/nodes.ts';
import type { JoinedNode, JoinOptions } from './support/nodes.ts';

/** Somebody who may write to Redis, and has no key. */
let writer: Redis;
let server: Awaited<ReturnType<typeof startRedis>>;
beforeAll(async () => {
  server = await startRedis();
  writer = new Redis(server.url);
});
afterAll(async () => {
  writer.disconnect();
  await server.stop();
});

const joined: JoinedNode[] = [];
afterEach(async () => {
  await Promise.all(joined.splice(0).map(({ node }) => node.leave()));
});

let clusters = 0;

/** Two nodes of a cluster that encrypts. */
async function two(more: Partial<JoinOptions> = {}): Promise<[JoinedNode, JoinedNode, string]> {
  const prefix = `unread-${++clusters}:`;
  const given = { prefix, encrypt: { keys: [randomBytes(32)] }, ...more };
  const made = [await join(server.url, given), await join(server.url, given)] as const;
  joined.push(...made);
  return [...made, prefix];
}

async function keyOf(prefix: string, kind: string, not = ''): Promise<string> {
  const keys = await writer.keys(`${prefix}${kind}:*`);
  const [key] = keys.filter((one) => one !== not);
  if (key === undefined) throw new Error(`there is no ${kind}`);
  return key;
}

describe('the record of a session', () => {
  it.each([
    ['plain text', JSON.stringify(record('x', { principal: 'mallory' }))],
    ['what is no JSON', '{'],
    ['a payload that was changed', undefined],
  ])('that is %s is not there, and stays its owner’s', async (_what, put) => {
    const [a, b, prefix] = await two();
    await a.node.stores.sessions.create(record('one', { resume: 'key' }));
    const key = await keyOf(prefix, 's');
    const sealed = String(await writer.hget(key, 'r'));
    await writer.hset(key, 'r', put ?? `${sealed.slice(0, -8)}AAAAAAAA`);
    expect(await b.node.locate('one')).toEqual({ at: 'nowhere' });
    expect(await b.node.stores.sessions.findByResume('ada', 'key')).toBeUndefined();
    expect(b.told.unread).toEqual([expect.stringMatching(/^record: /)]);
    expect(b.told.unread.join()).not.toMatch(/mallory|AAAA/);
    expect(await a.node.locate('one')).toEqual({ at: 'here' });
    await writer.hset(key, 'r', sealed);
    expect(await b.node.locate('one')).toMatchObject({ at: 'elsewhere' });
  });

  it('is not that of another session, nor one of its changes that of another property', async () => {
    const [a, b, prefix] = await two();
    const { sessions } = a.node.stores;
    await sessions.create(record('one', { principal: 'mallory' }));
    const own = await keyOf(prefix, 's');
    await sessions.create(record('two'));
    const other = await keyOf(prefix, 's', own);
    await writer.hset(own, 'r', String(await writer.hget(other, 'r')));
    expect(await b.node.locate('one')).toEqual({ at: 'nowhere' });
    await sessions.update('two', { logLevel: 'mallory' });
    await writer.hset(other, 'c:principal', String(await writer.hget(other, 'c:logLevel')));
    expect(await b.node.locate('two')).toEqual({ at: 'nowhere' });
    // Nor may a property be taken away by hand.
    await writer.hset(other, 'c:principal', '');
    expect(await b.node.locate('two')).toEqual({ at: 'nowhere' });
  });

  it.each([
    ['o', 'NODE soon'],
    ['t', 'yesterday'],
    ['q', 'last'],
  ])('with %s that is no number ends no node', async (field, value) => {
    const [a, b, prefix] = await two();
    await a.node.stores.sessions.create(record('one'));
    await a.node.release('one');
    await writer.hset(await keyOf(prefix, 's'), field, value);
    expect(await b.node.locate('one')).toEqual({ at: 'nowhere' });
    expect(await b.node.locate('one')).toEqual({ at: 'nowhere' });
  });
});

describe('a request that runs', () => {
  it('does not run again with the message of another one', async () => {
    const [a, b, prefix] = await two();
    await a.node.stores.sessions.create(record('one'));
    await a.node.begin('one', request(1));
    await a.node.begin('one', request(2));
    const key = await keyOf(prefix, 's');
    await writer.hset(key, 'b:1', String(await writer.hget(key, 'b:2')));
    await writer.hset(key, 'b:{', '1 digest\n', 'b:3', 'none', 'b:4', '');
    await a.node.leave();
    const { message: _, ...bare } = request(2);
    const located = await b.node.locate('one');
    const running = located.at === 'taken' ? located.taken.running : [];
    expect(running.toSorted((one, other) => Number(one.id) - Number(other.id))).toEqual([
      { ...bare, id: 1 },
      request(2),
    ]);
    expect(b.told.unread).toEqual(expect.arrayContaining([expect.stringMatching(/^begun: /)]));
  });
});

describe('a message of a session', () => {
  it('is left out, and the rest is known to be a part, where it cannot be read', async () => {
    const [a, b, prefix] = await two();
    const { sessions, events } = a.node.stores;
    await sessions.create(record('one'));
    for (const seq of [1, 2, 3, 4]) await events.append('one', notification(seq));
    const key = await keyOf(prefix, 'l');
    // One is put in the place of another one, one gets another head, one is no message at all.
    await writer.hset(key, '1', String(await writer.hget(key, '2')));
    const third = String(await writer.hget(key, '3'));
    await writer.hset(key, '3', third.replace(' n ', ' a '), 'x', 'y', '4', '{}');
    for (const { node } of [a, b]) {
      expect(await node.stores.events.readAfter('one', 0)).toEqual({
        events: [notification(2)],
        isComplete: false,
      });
    }
    expect(b.told.unread).toEqual([expect.stringMatching(/^event: /)]);
    await writer.hset(key, 'd', '{"never":');
    await a.node.leave();
    expect(await b.node.locate('one')).toMatchObject({ at: 'taken', taken: { seq: 4 } });
  });

  it('that is published and cannot be read has readers ask for what is kept', async () => {
    const [a, b, prefix] = await two();
    await a.node.stores.sessions.create(record('one'));
    a.node.readAt('one', 1, { node: b.node.name, reader: 'r' });
    const channel = `${prefix}events:{${b.node.name}}`;
    const heard: string[] = [];
    const ear = writer.duplicate();
    await ear.subscribe(channel);
    ear.on('message', (_channel, payload) => heard.push(payload));
    await a.node.stores.events.append('one', answer(1, 'x'));
    await until(() => heard.length === 1 && b.told.published.length === 1);
    ear.disconnect();
    const [payload = ''] = heard;
    const asked = b.told.missed.length;
    for (const forged of ['', 'x\n1 y', payload.replace('\n1 ', '\n2 '), payload.slice(0, -9)])
      await writer.publish(channel, forged);
    await until(() => b.told.missed.length > asked);
    expect(b.told.published).toHaveLength(1);
    // At another node it is for nobody.
    await writer.publish(`${prefix}events:{${a.node.name}}`, payload);
    await until(() => a.told.missed.length > 0);
    expect(a.told.published).toEqual([]);
  });
});

describe('a message to a node', () => {
  it('is taken once, from the node that sent it and by the one that it was sent to', async () => {
    const [a, b, prefix] = await two();
    const sent = { kind: 'post', session: 's' };
    // Whoever sends to a node learns that it is gone.
    await b.node.send(a.node.name, { kind: 'hello', session: '' });
    await a.node.send(b.node.name, sent);
    await until(() => b.told.received.length === 1);
    const [inboxOfA, inboxOfB] = [a, b].map(({ node }) => `${prefix}inbox:{${node.name}}`);
    // What was read is trimmed after a while: it is taken from what Redis keeps of it.
    const [, fields = []] = (await writer.xrange(String(inboxOfB), '-', '+')).at(-1) ?? [];
    const [, from = '', , number = '', , text = ''] = fields;
    expect([from, number]).toEqual([a.node.name, '1']);
    const put = (inbox: unknown, f: string, n: string, m: string) =>
      writer.xadd(String(inbox), '*', 'f', f, 'n', n, 'm', m);
    await put(inboxOfB, from, number, text);
    await put(inboxOfB, from, '2', text);
    await put(inboxOfB, b.node.name, number, text);
    await put(inboxOfA, from, number, text);
    await put(inboxOfB, from, '3', JSON.stringify({ ...sent, principal: 'mallory' }));
    await put(inboxOfB, from, 'many', 'null');
    for (let n = 0; n < 1_100; n++) void a.node.send(b.node.name, { ...sent, session: `${n}` });
    await until(() => b.told.received.length >= 1_101);
    // Long afterwards, and after the node is gone, too.
    await put(inboxOfB, from, number, text);
    await a.node.leave();
    await until(() => b.told.gone.includes(from));
    await put(inboxOfB, from, number, text);
    await b.node.send(b.node.name, { kind: 'last', session: '' });
    await until(() => b.told.received.at(-1)?.message.kind === 'last');
    expect(b.told.received).toHaveLength(1_102);
    expect(a.told.received.map(({ message }) => message.kind)).toEqual(['hello']);
    expect(b.told.unread).toEqual([expect.stringMatching(/^inbox: /)]);
  });
});

it('nothing of what anybody may publish or put there ends a node', async () => {
  const { node: other } = await join(server.url, { prefix: `unread-${++clusters}:` });
  joined.push({ node: other } as JoinedNode);
  const prefix = `unread-${clusters}:`;
  await other.stores.sessions.create(record('one'));
  const waiting = other.stores.queue!.acquire({
    queue: 'render',
    limits: { concurrency: 1, maxQueued: 1, perPrincipal: 1, timeoutMs: 60_000 },
    principal: 'ada',
    signal: new AbortController().signal,
    onPlace: () => {},
  });
  expect(await waiting).toBeTypeOf('function');
  const channels = (await writer.pubsub('CHANNELS', `${prefix}*`)) as string[];
  expect(channels.length).toBeGreaterThan(4);
  for (const channel of channels) {
    for (const text of ['', 'null', '[]', '{"granted":1}', '{"kind":"began"}', '1-1 x null', '~x'])
      await writer.publish(channel, text);
  }
  await writer.set(`${prefix}rate:a`, 'soon');
  expect(await other.stores.rates!.take('a', { max: 1, windowMs: 1_000 })).toMatchObject({
    isAllowed: true,
  });
  await writer.hset(`${prefix}counts:{x}`, '*', 'many');
  expect(await other.stores.sessions.count()).toBe(1);
  expect(await other.locate('one')).toEqual({ at: 'here' });
});
