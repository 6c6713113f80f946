import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { keysThatStay } from '../away/keys.mjs';
import { readJournal } from '../chaos/journal.mjs';
import { startCluster } from '../support/cluster.mjs';
import { startRedisCluster } from '../support/redis-cluster.mjs';
import { startSentinels } from '../support/redis-sentinel.mjs';
import { handShardOver, killShard, reshard } from './shards.mjs';

const script = fileURLToPath(new URL('../chaos/node.mjs', import.meta.url));
const POLL_MS = 50;

/**
 * How Redis changes while nodes use it:
 *
 * - `killed`: behind Sentinel, the primary is killed, and comes back as a replica;
 * - `handed-over`: Sentinel makes a replica the primary, though that one is well;
 * - `shard-killed`: a primary of a Redis Cluster is killed, and comes back as a replica;
 * - `shard-handed-over`: its replica takes over in order (`CLUSTER FAILOVER`);
 * - `resharded`: slots of sessions that are in use move to another shard.
 *
 * @typedef {'killed' | 'handed-over' | 'shard-killed' | 'shard-handed-over' | 'resharded'} Change
 */

/** @type {readonly Change[]} */
export const CHANGES = ['killed', 'handed-over', 'shard-killed', 'shard-handed-over', 'resharded'];

/** @type {Record<'shard-killed' | 'shard-handed-over' | 'resharded', typeof killShard>} */
const SHARD_CHANGES = {
  'shard-killed': killShard,
  'shard-handed-over': handShardOver,
  resharded: reshard,
};

/**
 * Three nodes and a round-robin proxy over a Redis that can change.
 *
 * @param {Change} change
 * @param {{ replicas?: number, nodes?: number }} [options] `replicas` of `redis(url, options)`
 */
export async function startFailoverStage(change, { replicas = 0, nodes = 3 } = {}) {
  const store = await (change === 'killed' || change === 'handed-over'
    ? sentinelStore(change)
    : shardedStore(change));
  const stop = async () => {
    await cluster?.[Symbol.asyncDispose]();
    await store.stop();
  };
  /** @type {Awaited<ReturnType<typeof startCluster>> | undefined} */
  let cluster;
  try {
    const { url, connection } = store;
    cluster = await startCluster({
      script,
      nodes,
      redis: false,
      redisUrl: () => url,
      clusterOptions: { replicas, ...(connection !== undefined && { connection }) },
    });
    const { journalFile, origin } = cluster;
    return {
      store,
      nodes: cluster.nodes,
      origin,
      journal: () => readJournal(journalFile),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** @typedef {Awaited<ReturnType<typeof startFailoverStage>>} FailoverStage */

/** @param {'killed' | 'handed-over'} change */
async function sentinelStore(change) {
  const sentinels = await startSentinels({ sentinels: 3 });
  return {
    ...sentinels,
    sentinels,
    /** Fulfilled once another server is the primary, and the one before its replica. */
    change: async () => {
      const before = await sentinels.primaryNow();
      if (change === 'killed') await before?.kill();
      else await sentinels.failOver();
      for (;;) {
        const now = await sentinels.primaryNow();
        if (now !== undefined && now !== before) break;
        await delay(POLL_MS);
      }
      const changedAt = Date.now();
      if (change === 'killed' && before !== undefined) await sentinels.comeBack(before);
      await sentinels.settled();
      return changedAt;
    },
    keysThatStay: async () => keysThatStay((await sentinels.primaryNow())?.url ?? ''),
  };
}

/** @param {keyof typeof SHARD_CHANGES} change */
async function shardedStore(change) {
  const cluster = await startRedisCluster({ replicas: 1 });
  let round = 0;
  return {
    // As the configuration endpoint of a managed one.
    url: cluster.urls[0] ?? '',
    connection: undefined,
    sentinels: undefined,
    stop: cluster.stop,
    change: async () => {
      await SHARD_CHANGES[change](cluster.servers, round++);
      return Date.now();
    },
    keysThatStay: cluster.lasting,
  };
}
