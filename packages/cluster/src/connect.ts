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
  const urls = checkUrls(url);
  const resolved = resolveRedisOptions(options);
  const { prefix } = new Keys(resolved.prefix, mount);
  for (let isCluster = urls.length > 1; ; isCluster = true) {
    const connection = new RedisConnection({ urls, options: resolved, isCluster }, prefix);
    try {
      const info = await infoOf(await firstClient(connection, resolved.waitMs));
      checkVersion(info);
      if (isCluster || !info.includes('redis_mode:cluster')) return connection;
      // One address of a Redis Cluster: the others are found from it.
      connection.close();
    } catch (error) {
      connection.close();
      const where = urls.map((one) => new URL(one).host).join(', ');
      throw new Error(`Redis at ${where}: ${reasonOf(error)}`, { cause: error });
    }
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

async function infoOf(client: Client): Promise<string> {
  const one = client instanceof Cluster ? client.nodes('master')[0] : client;
  return (await one?.info('server')) ?? '';
}

function checkVersion(info: string): void {
  const version = /redis_version:(\S+)/.exec(info)?.[1] ?? 'unknown';
  if (Number.parseInt(version, 10) < MIN_MAJOR)
    throw new Error(
      `its version is ${version}, and it must be ${MIN_MAJOR}.0 or newer (or Valkey)`,
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
