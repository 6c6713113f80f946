import calculateSlot from 'cluster-key-slot';
import { setTimeout as delay } from 'node:timers/promises';

/** @typedef {import('../support/redis-cluster.mjs').ClusterServer} ClusterServer */

const POLL_MS = 50;
/** So many slots move in one round. */
const MOVED_SLOTS = 60;
const MIGRATE_MS = 5_000;

/**
 * Kills a primary, waits until its replica has its slots, and starts it again.
 *
 * @param {readonly ClusterServer[]} servers
 * @param {number} round
 */
export async function killShard(servers, round) {
  const { primary, replica } = await shardOf(servers, round);
  await primary.server.kill();
  await isRole(replica, 'master');
  await primary.server.start();
  await isRole(primary, 'slave');
  while (!(await primary.client.info('replication')).includes('master_link_status:up')) {
    await delay(POLL_MS);
  }
}

/** A replica takes over in order. @type {typeof killShard} */
export async function handShardOver(servers, round) {
  const { primary, replica } = await shardOf(servers, round);
  await replica.client.call('CLUSTER', 'FAILOVER');
  await isRole(replica, 'master');
  await isRole(primary, 'slave');
}

/** Slots that hold sessions move from one shard to the next. @type {typeof killShard} */
export async function reshard(servers, round) {
  const from = (await shardOf(servers, round)).primary;
  const to = (await shardOf(servers, round + 1)).primary;
  const [fromId, toId] = await Promise.all([from, to].map(({ client }) => idOf(client)));
  const sessions = await from.client.keys('*s:{*');
  const slots = new Set(sessions.map((key) => calculateSlot(key)));
  const primaries = [];
  for (const one of servers) if ((await one.client.role())[0] === 'master') primaries.push(one);
  for (const slot of [...slots].slice(0, MOVED_SLOTS)) {
    await to.client.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', String(fromId));
    await from.client.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', String(toId));
    for (;;) {
      const keys = /** @type {string[]} */ (
        await from.client.call('CLUSTER', 'GETKEYSINSLOT', slot, 1)
      );
      if (keys.length === 0) break;
      const target = ['127.0.0.1', to.server.port, '', 0, MIGRATE_MS];
      await from.client.call('MIGRATE', ...target, 'KEYS', ...keys);
    }
    for (const { client } of [to, from, ...primaries]) {
      await client.call('CLUSTER', 'SETSLOT', slot, 'NODE', String(toId));
    }
  }
  if (slots.size === 0) throw new Error('no session was on the shard whose slots were to move');
}

/** A primary and its replica. @param {readonly ClusterServer[]} servers @param {number} number */
async function shardOf(servers, number) {
  const primaries = [];
  for (const one of servers) if ((await one.client.role())[0] === 'master') primaries.push(one);
  const primary = primaries[number % primaries.length];
  for (const replica of servers) {
    const [role, , port] = await replica.client.role();
    if (role === 'slave' && port === primary?.server.port) return { primary, replica };
  }
  throw new Error('a primary of the Redis Cluster has no replica');
}

/** @param {ClusterServer} server @param {'master' | 'slave'} wanted */
async function isRole({ client }, wanted) {
  while ((await client.role())[0] !== wanted) await delay(POLL_MS);
}

/** @param {import('ioredis').Redis} client */
const idOf = (client) => client.call('CLUSTER', 'MYID');
