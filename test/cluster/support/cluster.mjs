import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startNode } from './nodes.mjs';
import { startRedis } from './redis-server.mjs';
import { startRoundRobin } from './round-robin.mjs';

/**
 * @typedef {import('./node.mjs').NodeProgram} NodeProgram
 * @typedef {import('./nodes.mjs').RunningNode} RunningNode
 * @typedef {import('./redis-server.mjs').RedisServer} RedisServer
 * @typedef {import('./round-robin.mjs').RoundRobin} RoundRobin
 *
 * @typedef {object} ClusterOptions
 * @property {number} [nodes] default: 3
 * @property {Parameters<typeof startRedis>[0] | false} [redis] `false`: the nodes share nothing
 * @property {(index: number, url: string, keep: Keep) => string | Promise<string>} [redisUrl] what each node is
 *   told; default: the Redis itself
 * @property {NodeProgram['options']} [options] of `serve`
 * @property {object} [clusterOptions] of `redis(url, options)`
 * @property {NodeProgram['hasPage']} [hasPage]
 * @property {string} [script] another program than `node.mjs`
 * @property {string} [events] for that program
 *
 * @typedef {object} JournalLine
 * @property {'begins' | 'ends' | 'cancelled'} what
 * @property {string} tool
 * @property {string} key
 * @property {string} node
 *
 * @typedef {<T extends AsyncDisposable>(starting: Promise<T>) => Promise<T>} Keep stops it with the cluster
 *
 * @typedef {object} RunningCluster
 * @property {RedisServer | undefined} redis
 * @property {readonly RunningNode[]} nodes
 * @property {RoundRobin} proxy
 * @property {string} origin of the proxy
 * @property {string} url `…/mcp`
 * @property {string} sseUrl `…/sse`
 * @property {string} journalFile what the nodes' program writes to
 * @property {() => JournalLine[]} journal what the keyed tools of `node.mjs` did on all nodes, in order
 * @property {Keep} keep
 */

/**
 * Starts a Redis, nodes that use it, and a proxy without stickiness in front of them. Whatever happens,
 * nothing of it outlives this process.
 *
 * @param {ClusterOptions} [given]
 * @returns {Promise<RunningCluster & AsyncDisposable>}
 */
export async function startCluster({
  nodes: count = 3,
  redis: wanted = {},
  redisUrl,
  ...rest
} = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'longwire-cluster-'));
  const journalFile = join(folder, 'journal');
  /** What was started, in order. @type {AsyncDisposable[]} */
  const started = [];
  const stop = async () => {
    for (const one of started.splice(0).reverse()) await one[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  };
  /** @type {Keep} */
  const keep = async (starting) => {
    const one = await starting;
    started.push(one);
    return one;
  };
  try {
    const redis = wanted === false ? undefined : await keep(startRedis(wanted));
    const starting = Array.from({ length: count }, async (_, index) => {
      const own = redis && ((await redisUrl?.(index, redis.url, keep)) ?? redis.url);
      const node = { ...rest, name: `node-${index + 1}`, journal: journalFile };
      return keep(startNode(own === undefined ? node : { ...node, redis: own }));
    });
    // All have started, or have not, before something is stopped.
    await Promise.allSettled(starting);
    const nodes = await Promise.all(starting);
    const proxy = await keep(startRoundRobin(nodes));
    return {
      redis,
      nodes,
      proxy,
      origin: proxy.origin,
      url: `${proxy.origin}/mcp`,
      sseUrl: `${proxy.origin}/sse`,
      journalFile,
      journal: () => linesOf(journalFile),
      keep,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** @param {string} file @returns {JournalLine[]} */
function linesOf(file) {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => {
    const [what, tool, key, node] = line.split(' ');
    return /** @type {JournalLine} */ ({ what, tool, key, node });
  });
}
