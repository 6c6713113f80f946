import { Redis } from 'ioredis';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { startRedis } from './redis-server.mjs';

const SLOTS = 16_384;
const SHARDS = 3;

/** A Redis Cluster of three shards, each a server of its own. */
export async function startRedisCluster() {
  /** @type {{ server: Awaited<ReturnType<typeof startRedis>>, busPort: number, client: Redis }[]} */
  const shards = [];
  const stop = async () => {
    for (const { client, server } of shards) {
      client.disconnect();
      await server.stop();
    }
  };
  try {
    for (let index = 0; index < SHARDS; index++) {
      const busPort = await freePort();
      const args = ['--cluster-enabled', 'yes', '--cluster-port', String(busPort)];
      const server = await startRedis({ args });
      shards.push({ server, busPort, client: new Redis(server.url) });
    }
    const share = Math.ceil(SLOTS / SHARDS);
    for (const [index, { server, busPort, client }] of shards.entries()) {
      const from = index * share;
      await client.call('CLUSTER', 'ADDSLOTSRANGE', from, Math.min(from + share, SLOTS) - 1);
      await client.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
      await shards[0]?.client.call('CLUSTER', 'MEET', '127.0.0.1', server.port, busPort);
    }
    for (const { client } of shards) while (!(await knowsAll(client))) await delay(50);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    urls: shards.map(({ server }) => server.url),
    stop,
    /** What has no time to live. */
    lasting: async () => {
      /** @type {string[]} */
      const found = [];
      for (const { client } of shards) {
        for (const key of await client.keys('*')) if ((await client.pttl(key)) < 0) found.push(key);
      }
      return found;
    },
  };
}

/** @param {Redis} client */
async function knowsAll(client) {
  const info = String(await client.call('CLUSTER', 'INFO'));
  return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${SHARDS}`);
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  server.close();
  await once(server, 'close');
  return port;
}
