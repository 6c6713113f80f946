import { Redis } from 'ioredis';
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { startRedis } from '../../../test/cluster/support/redis-server.mjs';
import { connect } from '../src/connect.ts';
import { Keys } from '../src/keys.ts';
import { Members, workerName } from '../src/node/members.ts';
import type { KnownForms } from '../src/node/stored-form.ts';
import { startWorker } from '../src/work/start-worker.ts';
import { join, record, request, until } from './support/nodes.ts';
import { create, queues } from './work/program.mjs';

/** This version, the one after it, and one that has forgotten this one. */
const [THIS, NEXT, LATER] = [
  { newest: 1, oldest: 1 },
  { newest: 2, oldest: 1 },
  { newest: 3, oldest: 2 },
] as const;
const A_MINUTE_AND_MORE = 61_000;

let server: Awaited<ReturnType<typeof startRedis>>;
let redis: Redis;
beforeAll(async () => {
  server = await startRedis();
  redis = new Redis(server.url);
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

let clusters = 0;
let prefix = '';
const cluster = (): string => (prefix = `members-${++clusters}:`);

async function member(
  name: string,
  forms: KnownForms = THIS,
): Promise<Members & { left: string[] }> {
  const connection = await connect(server.url, { prefix });
  const left: string[] = [];
  const keys = new Keys(prefix, '');
  const outdated = ({ message }: Error): number => left.push(message);
  const made = new Members({ name, connection, keys, forms, outdated });
  opened.push(() => (made.close(), connection.close()));
  await made.join();
  return Object.assign(made, { left });
}

/** As if this had been said so much earlier. */
async function longAgo(field: string, ms = A_MINUTE_AND_MORE): Promise<void> {
  const [time = '', ...rest] = String(await redis.hget(`${prefix}members`, field)).split(' ');
  await redis.hset(`${prefix}members`, field, [Number(time) - ms, ...rest].join(' '));
}

it('a form is raised once nobody is there who cannot read it, and never before', async () => {
  cluster();
  const here = await member('here');
  const next = await member('next', NEXT);
  const worker = await member(workerName('w'));
  expect([here.form, next.form, worker.form]).toEqual([1, 1, 1]);
  expect((await next.names()).toSorted()).toEqual(['here', 'next']);
  await longAgo(':since');
  await here.leave();
  await next.sign();
  expect(next.form).toBe(1);
  await worker.leave();
  await next.sign();
  expect(next.form).toBe(2);
  const refused =
    /written by a newer version of @longwire\/cluster \(form 2; this version knows 1\)/;
  await expect(member('late')).rejects.toThrow(refused);
  expect(await next.names()).toEqual(['next']);
  // What is kept lives longer than its members.
  expect(await redis.pttl(`${prefix}members`)).toBeGreaterThan(29 * 86_400_000);
});

it('a member that slept while the form was raised leaves', async () => {
  cluster();
  const here = await member('here');
  await longAgo(':since');
  await longAgo('here');
  const next = await member('next', NEXT);
  expect(next.form).toBe(2);
  expect(here.left).toEqual([]);
  await here.sign();
  expect(here.left).toEqual([expect.stringContaining('newer version')]);
});

it('a Redis that has lost its data does not raise it: others are there, and have not said so yet', async () => {
  cluster();
  const here = await member('here');
  const next = await member('next', NEXT);
  await redis.flushdb();
  await next.sign();
  expect(next.form).toBe(1);
  await here.sign();
  await next.sign();
  expect([here.form, next.form, here.left]).toEqual([1, 1, []]);
});

it('a version that does not read the form in use any more says what to do', async () => {
  cluster();
  await member('here');
  await expect(member('later', LATER)).rejects.toThrow(
    /older version.*\(form 1; this version reads 2 and newer\): start a version between the two/,
  );
});

it('nodes of the next version and of this one serve the same sessions, until the last of this one leaves', async () => {
  const given = { prefix: cluster() };
  const a = await join(server.url, given);
  await a.node.stores.sessions.create(record('one'));
  await a.node.begin('one', request(1));
  const next = await join(server.url, { ...given, forms: NEXT });
  opened.push(() => next.node.leave());
  expect(await next.node.locate('one')).toMatchObject({ at: 'elsewhere', node: a.node.name });
  await a.node.send(next.node.name, { kind: 'hello', session: 'one' });
  await until(() => next.told.received.length > 0);
  await longAgo(':since');
  await a.node.leave();
  expect(await next.node.locate('one')).toMatchObject({
    at: 'taken',
    taken: { record: record('one'), running: [request(1)] },
  });
  const another = await join(server.url, { ...given, forms: NEXT });
  opened.push(() => another.node.leave());
  expect(await redis.hget(`${prefix}members`, ':form')).toBe('2');
  await expect(join(server.url, given)).rejects.toThrow('start the newer one');
  await expect(startWorker(server.url, { create, queues, redis: given })).rejects.toThrow(
    'start the newer one',
  );
});

it('a node whose form nobody writes any more leaves by itself', async () => {
  const given = { prefix: cluster() };
  const { node, told } = await join(server.url, given);
  await redis.hset(`${prefix}members`, ':form', 2);
  await until(() => !node.isUp, 60_000);
  expect(told.errors).toEqual([expect.stringContaining('newer version')]);
  expect(await redis.exists(`${prefix}lease:{${node.name}}`)).toBe(0);
});

it('a worker needs the keys of the nodes; one that was killed keeps nobody from joining', async () => {
  const given = { prefix: cluster(), encrypt: { keys: [randomBytes(32)] } };
  const { node } = await join(server.url, given);
  const other = { prefix, encrypt: { keys: [randomBytes(32)] } };
  await expect(startWorker(server.url, { create, queues, redis: other })).rejects.toThrow(
    `${node.name} does not have the key that this one encrypts with`,
  );
  const worker = await startWorker(server.url, { create, queues, redis: given });
  expect(await redis.hlen(`${prefix}members`)).toBe(4);
  await worker.close();
  await node.leave();
  expect(await redis.hkeys(`${prefix}members`)).toEqual([':form', ':since']);
  await redis.del(`${prefix}state-key`);
  await redis.hset(`${prefix}members`, 'killed', `${Date.now()} 1 abcdef`);
  await expect(join(server.url, given)).rejects.toThrow('killed does not have the key');
  await longAgo('killed', 21_000);
  const again = await join(server.url, given);
  await again.node.leave();
});
