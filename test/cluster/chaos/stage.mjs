import { createFaultyProxy } from '@longwire/testing';
import { fileURLToPath } from 'node:url';
import { startCluster } from '../support/cluster.mjs';
import { readJournal } from './journal.mjs';

const KEY = Buffer.alloc(32, 'trial').toString('base64');
const script = fileURLToPath(new URL('node.mjs', import.meta.url));

/**
 * A node, and what its connections to Redis go through.
 *
 * @typedef {object} StagedNode
 * @property {string} name
 * @property {import('../support/nodes.mjs').RunningNode} process
 * @property {import('@longwire/testing').FaultyProxy} line
 */

/**
 * @typedef {object} StageOptions
 * @property {number} seed
 * @property {Parameters<typeof import('../support/redis-server.mjs').startRedis>[0]} [redis]
 */

/**
 * A cluster whose nodes reach Redis through a faulty proxy each.
 *
 * @param {StageOptions} options
 */
export async function startStage({ seed, redis: wanted = {} }) {
  /** @type {import('@longwire/testing').FaultyProxy[]} */
  const lines = [];
  const cluster = await startCluster({
    script,
    redis: wanted,
    // Every other trial has its payloads encrypted.
    ...(seed % 2 === 1 && { clusterOptions: { encrypt: { keys: [KEY] } } }),
    redisUrl: async (index, url, keep) => {
      const line = await keep(createFaultyProxy({ target: url, seed }));
      lines[index] = line;
      return `redis://127.0.0.1:${line.port}`;
    },
  });
  const { redis, origin, journalFile, keep } = cluster;
  const stop = () => cluster[Symbol.asyncDispose]();
  try {
    return {
      redis: /** @type {NonNullable<typeof redis>} */ (redis),
      nodes: cluster.nodes.map((process, index) => {
        const line = /** @type {typeof lines[number]} */ (lines[index]);
        return { name: process.name, process, line };
      }),
      /** What clients connect to: the proxy, through a line that can be cut. */
      front: await keep(createFaultyProxy({ target: origin, seed })),
      journal: () => readJournal(journalFile),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** @typedef {Awaited<ReturnType<typeof startStage>>} Stage */
