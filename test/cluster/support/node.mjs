/**
 * A node of a cluster, as a process of its own: a server of the kit, over the Redis that it is told, or alone.
 * Argument: `NodeProgram` as JSON. It says where it listens, ends in order on SIGTERM, and ends with its
 * parent.
 */
import { serve } from '@longwire/server';
import { createNodeServer, TASKS } from './node-server.mjs';

/**
 * @typedef {object} NodeProgram
 * @property {string} name what its tools say
 * @property {string} [redis] the URL
 * @property {object} [clusterOptions] of `redis(url, options)`
 * @property {string} [journal] the file for what its keyed tools do
 * @property {boolean} [hasPage] everybody may see its page, with values
 * @property {Omit<import('@longwire/server').ServeOptions, 'create'>} [options] of `serve`, as JSON can hold them
 */

/** @type {NodeProgram} */
const {
  name,
  redis: url,
  clusterOptions,
  journal,
  hasPage,
  options,
} = JSON.parse(process.argv[2] ?? '');

/** @type {import('@longwire/server').McpMount | undefined} */
let mount;
const serving = await serve({
  create: ({ era }) => createNodeServer({ node: name, journal, era, notify: mount?.notify }),
  onMount: (made) => {
    mount = made;
  },
  port: 0,
  toolEvents: true,
  maxSessionsPerAddress: Infinity,
  tasks: TASKS,
  // Behind a proxy that asks twice a second, and no longer: tests wait for it.
  stop: { delayMs: 1_000, graceMs: 10_000 },
  signals: true,
  ...options,
  ...(url !== undefined && { cluster: await clusterOf(url) }),
  ...(hasPage === true && { page: await pageOf() }),
});

process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.send?.({ url: serving.url });
// A channel to the parent that is listened to would keep the process alive.
process.channel?.unref();

/** Loaded only where there is a Redis. @param {string} redisUrl */
async function clusterOf(redisUrl) {
  const { redis } = await import('@longwire/cluster');
  return redis(redisUrl, clusterOptions);
}

async function pageOf() {
  const { page } = await import('longwire/page');
  return page({ allow: () => true, values: true });
}
