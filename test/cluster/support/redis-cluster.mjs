import { Redis } from 'ioredis';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort, startRedis } from './redis-server.mjs';

const SLOTS = 16_384;
const SHARDS = 3;

/**
 * A server of a Redis Cluster.
 *
 * @typedef {object} ClusterServer
 * @property {Awaited<ReturnType<typeof startRedis>>} server
 * @property {number} busPort
 * @property {Redis} client
 */

/**
 * A Redis Cluster of three shards, each a server of its own with so many replicas.
 *
 * @param {{ replicas?: number, deadAfterMs?: number }} [options] `deadAfterMs`: after so long without an answer a
 *   server counts as dead, and its replica stands for election. Default: 1 s with replicas, else 15 s
 */
export async function startRedisCluster({
  replicas: perShard = 0,
  deadAfterMs = perShard > 0 ? 1_000 : 15_000,
} = {}) {
  const servers = SHARDS * (1 + perShard);
  /** Primaries first. @type {ClusterServer[]} */
  const all = [];
  const stop = async () => {
    for (const { client, server } of all) {
      client.disconnect();
      await server.stop();
    }
  };
  try {
    for (let index = 0; index < servers; index++) {
      const busPort = await freePort();
      const args = ['--cluster-enabled', 'yes', '--cluster-port', String(busPort)];
      args.push('--cluster-node-timeout', String(deadAfterMs), '--repl-diskless-sync-delay', '0');
      const server = await startRedis({ args });
      const client = new Redis(server.url, { retryStrategy: () => 100 });
      client.on('error', () => {});
      all.push({ server, busPort, client });
      await client.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
    }
    const shards = all.slice(0, SHARDS);
    for (const { server, busPort } of all.slice(1)) {
      await all[0]?.client.call('CLUSTER', 'MEET', '127.0.0.1', server.port, busPort);
    }
    const share = Math.ceil(SLOTS / SHARDS);
    for (const [index, { client }] of shards.entries()) {
      const from = index * share;
      await client.call('CLUSTER', 'ADDSLOTSRANGE', from, Math.min(from + share, SLOTS) - 1);
    }
    for (const { client } of all) while (!(await knows(client, servers))) await delay(50);
    for (const [index, { client }] of all.slice(SHARDS).entries()) {
      const primary = String(await shards[index % SHARDS]?.client.call('CLUSTER', 'MYID'));
      await client.call('CLUSTER', 'REPLICATE', primary);
      while (!(await client.info('replication')).includes('master_link_status:up')) await delay(50);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    urls: all.map(({ server }) => server.url),
    servers: all,
    stop,
    [Symbol.asyncDispose]: stop,
    /** What has no time to live. */
    lasting: async () => {
      /** @type {string[]} */
      const found = [];
      for (const { client } of all) {
        if ((await client.role())[0] !== 'master') continue;
        for (const key of await client.keys('*'))
          if ((await client.pttl(key)) === -1) found.push(key);
      }
      return found;
    },
  };
}

/** @param {Redis} client @param {number} servers */
async function knows(client, servers) {
  const info = String(await client.call('CLUSTER', 'INFO'));
  return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${servers}`);
}
