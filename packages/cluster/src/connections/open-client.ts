import { Cluster, Redis } from 'ioredis';
import type { ConnectionOptions, ResolvedRedisOptions } from '../options.js';

/** A connection to one Redis, or those to the nodes of a Redis Cluster. */
export type Client = Redis | Cluster;

/** How connections are made. */
export interface Address {
  readonly urls: readonly string[];
  readonly options: ResolvedRedisOptions;
}

/** A peer that is silent for longer, while something is asked of it, is gone. */
const SILENCE_MS = 5_000;
const MAX_CLUSTER_RETRY_MS = 500;

/**
 * Makes a connection. One to a Redis ends when it is lost, and never sends anything twice by itself; a
 * client of a Redis Cluster looks for its nodes again.
 */
export function openClient({ urls, options }: Address): Client {
  const given = { socketTimeout: SILENCE_MS, ...options.connection };
  const [url = ''] = urls;
  if (urls.length === 1) {
    return quiet(new Redis(url, { ...given, retryStrategy: null, enableOfflineQueue: false }));
  }
  return openCluster(urls, given, options);
}

/** A connection that reconnects and waits by itself, as BullMQ wants it. */
export function openPatientClient({ urls, options }: Address): Client {
  const given = { ...options.connection, maxRetriesPerRequest: null };
  const [url = ''] = urls;
  return urls.length === 1 ? quiet(new Redis(url, given)) : openCluster(urls, given, options);
}

/**
 * Ends a connection. One that has ended already is left alone: ioredis would wait two seconds for its end
 * once more, and keep the process alive.
 */
export function endClient(client: Client): void {
  if (client.status !== 'close' && client.status !== 'end') client.disconnect();
}

function openCluster(
  urls: readonly string[],
  given: ConnectionOptions,
  { redisCluster }: ResolvedRedisOptions,
): Cluster {
  const { protocol, username, password } = new URL(urls[0] ?? '');
  const { sentinels: _, ...redisOptions } = given;
  return quiet(
    new Cluster([...urls], {
      clusterRetryStrategy: (times) => Math.min(50 * times, MAX_CLUSTER_RETRY_MS),
      ...redisCluster,
      redisOptions: {
        ...(username !== '' && { username: decodeURIComponent(username) }),
        ...(password !== '' && { password: decodeURIComponent(password) }),
        ...(protocol === 'rediss:' && { tls: {} }),
        ...redisOptions,
      },
    }),
  );
}

/** Without a listener of its own, an error is printed on the console. */
function quiet<Made extends Client>(client: Made): Made {
  client.on('error', () => {});
  return client;
}
