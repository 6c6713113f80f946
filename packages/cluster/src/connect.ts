import { Cluster } from 'ioredis';
import type { Client } from './connections/open-client.js';
import { RedisConnection } from './connections/redis-connection.js';
import { Keys } from './keys.js';
import { checkUrls, resolveRedisOptions, type RedisOptions } from './options.js';

/** Redis 7.0 is the first whose scripts do what these do. */
const MIN_MAJOR = 7;
const POLL_MS = 20;
/** Errors that waiting does not mend. */
const REFUSED = /WRONGPASS|NOAUTH|NOPERM|invalid password|certificate|self-signed/i;

/**
 * Connects to Redis, without joining a cluster.
 *
 * @param mount tells the mounts of one application apart.
 * @throws TypeError for a wrong URL or option; Error that says what cannot be reached, refuses the login, or
 * is too old.
 */
export async function connect(
  url: string | readonly string[],
  options?: RedisOptions,
  mount = '',
): Promise<RedisConnection> {
  const address = { urls: checkUrls(url), options: resolveRedisOptions(options) };
  const { prefix } = new Keys(address.options.prefix, mount);
  const connection = new RedisConnection(address, prefix);
  try {
    const client = await firstClient(connection, address.options.waitMs);
    await checkVersion(client);
    return connection;
  } catch (error) {
    connection.close();
    const where = address.urls.map((one) => new URL(one).host).join(', ');
    throw new Error(`Redis at ${where}: ${reasonOf(error)}`, { cause: error });
  }
}

async function firstClient(connection: RedisConnection, waitMs: number): Promise<Client> {
  const until = performance.now() + waitMs;
  for (;;) {
    const { client, error } = connection;
    if (client !== undefined) return client;
    if (error !== undefined && (REFUSED.test(error.message) || performance.now() > until))
      throw error;
    if (performance.now() > until) throw new Error(`no answer within ${waitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function checkVersion(client: Client): Promise<void> {
  const one = client instanceof Cluster ? client.nodes('master')[0] : client;
  const info = (await one?.info('server')) ?? '';
  const version = /redis_version:(\S+)/.exec(info)?.[1] ?? 'unknown';
  if (Number.parseInt(version, 10) < MIN_MAJOR)
    throw new Error(
      `its version is ${version}, and it must be ${MIN_MAJOR}.0 or newer (or Valkey)`,
    );
  if (info.includes('redis_mode:cluster') && !(client instanceof Cluster))
    throw new Error(
      'it is a Redis Cluster: give an array with the URLs of two or more of its nodes',
    );
}

function reasonOf(error: unknown): string {
  const { message, errors, lastNodeError } = error as {
    message?: string;
    errors?: readonly Error[];
    lastNodeError?: Error;
  };
  const reason = lastNodeError?.message ?? (message || errors?.[0]?.message) ?? String(error);
  // What Redis says then is about its protocol.
  return reason.startsWith('NOAUTH')
    ? 'NOAUTH: it asks for a password, which the URL must give: redis://:PASSWORD@HOST:PORT'
    : reason;
}
