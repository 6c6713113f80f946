import { createFaultyProxy } from '@longwire/testing';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startNode } from '../support/nodes.mjs';
import { startRedis } from '../support/redis-server.mjs';
import { startRoundRobin } from '../support/round-robin.mjs';
import { readJournal } from './journal.mjs';

const NODES = 3;
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
 * @property {Parameters<typeof startRedis>[0]} [redis]
 */

/**
 * A Redis, nodes that reach it through a faulty proxy each, and a round-robin proxy in front of them.
 *
 * @param {StageOptions} options
 */
export async function startStage({ seed, redis: wanted = {} }) {
  const folder = await mkdtemp(join(tmpdir(), 'longwire-chaos-'));
  const journal = join(folder, 'journal');
  /** @type {AsyncDisposable[]} */
  const started = [];
  const stop = async () => {
    for (const one of started.splice(0).reverse()) await one[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  };
  /** @template {AsyncDisposable} T @param {Promise<T>} starting @returns {Promise<T>} */
  const keep = async (starting) => {
    const one = await starting;
    started.push(one);
    return one;
  };
  try {
    const redis = await keep(startRedis(wanted));
    /** @type {StagedNode[]} */
    const nodes = [];
    for (let number = 1; number <= NODES; number++) {
      const name = `node-${number}`;
      const line = await keep(createFaultyProxy({ target: redis.url, seed }));
      const url = `redis://127.0.0.1:${line.port}`;
      const process = await keep(startNode({ script, name, journal, redis: url }));
      nodes.push({ name, process, line });
    }
    const proxy = await keep(startRoundRobin(nodes.map(({ process }) => process)));
    const front = await keep(createFaultyProxy({ target: proxy.origin, seed }));
    return {
      redis,
      nodes,
      /** What clients connect to: the proxy, through a line that can be cut. */
      front,
      journal: () => readJournal(journal),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** @typedef {Awaited<ReturnType<typeof startStage>>} Stage */
