import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { startRedis } from '../../../test/cluster/support/redis-server.mjs';
import { connect } from '../src/connect.ts';
import type { RedisConnection } from '../src/connections/redis-connection.ts';

const PUSH = `return redis.call('RPUSH', KEYS[1], ARGV[1])`;
const ALL = `return redis.call('LRANGE', KEYS[1], 0, -1)`;

let server: Awaited<ReturnType<typeof startRedis>>;
let connection: RedisConnection;
let key: string;
let keys = 0;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());
beforeEach(async () => {
  connection = await connect(server.url, {}, '/soon');
  key = `list-${++keys}`;
});
afterEach(() => connection.close());

const push = (value: string, options?: Parameters<RedisConnection['run']>[3]): Promise<unknown> =>
  connection.run(PUSH, [key], [value], options);
const all = (): Promise<unknown> => connection.run(ALL, [key], []);

it('keeps what nobody waits for in its place before what comes after it', async () => {
  const pushes = [push('a'), push('b', { soon: true }), push('c', { soon: true }), push('d')];
  expect(await all()).toEqual(['a', 'b', 'c', 'd']);
  expect(await Promise.all(pushes)).toEqual([1, 2, 3, 4]);
});

it('sends what nobody waits for also where nothing comes after it', async () => {
  expect(await push('a', { soon: true })).toBe(1);
});

it('does not send what is not needed any more when it goes out', async () => {
  let isNeeded = true;
  const append = (value: string): Promise<unknown> =>
    connection.run(PUSH, [key], () => (isNeeded ? [value] : undefined), { soon: true });
  const kept = append('a');
  expect(await all()).toEqual(['a']);
  const dropped = append('b');
  isNeeded = false;
  expect(await all()).toEqual(['a']);
  expect([await kept, await dropped]).toEqual([1, undefined]);
});
