import type { Cluster, ClusterNode, Joining } from '@longwire/server';
import { connect } from './connect.js';
import { Keys } from './keys.js';
import { RedisNode } from './node/redis-node.js';
import { checkUrls, resolveRedisOptions, type RedisOptions } from './options.js';

/**
 * A cluster over Redis 7.0 or newer, or Valkey: the option `cluster` of the server kit.
 *
 * @param url `redis://` or `rediss://` with a host, and a user and a password where Redis asks for them. Of a
 * Redis Cluster: an array with two or more of its nodes, or its configuration endpoint.
 * @throws TypeError for a wrong URL or option. What cannot be reached, refuses the login or is too old is
 * said when the server starts.
 */
export function redis(url: string | readonly string[], options?: RedisOptions): Cluster {
  const urls = checkUrls(url);
  const resolved = resolveRedisOptions(options);
  return {
    async join(joining: Joining): Promise<ClusterNode> {
      const connection = await connect(urls, options, joining.mount);
      const keys = new Keys(resolved.prefix, joining.mount);
      const node = new RedisNode({ connection, keys, options: resolved, joining });
      try {
        await node.start();
        return node;
      } catch (error) {
        await node.leave();
        throw error;
      }
    },
  };
}
