import { fileURLToPath } from 'node:url';
import { startCluster } from '../cluster/support/cluster.mjs';

const script = fileURLToPath(new URL('node.mjs', import.meta.url));

/**
 * Starts the server as three nodes over a Redis, behind a proxy without stickiness. `passed` says for each
 * request which node took it.
 *
 * @returns {Promise<import('./server.mjs').ConformanceServer & { passed: readonly import('../cluster/support/round-robin.mjs').Passed[] }>}
 */
export async function startConformanceCluster() {
  const cluster = await startCluster({ script });
  const { passed } = cluster.proxy;
  return { url: cluster.url, passed, close: () => cluster[Symbol.asyncDispose]() };
}
