import type { ClusterOptions, RedisOptions as IoredisOptions } from 'ioredis';
import { PLAIN, type EncryptionKey } from './payloads.js';

/** What of the options of ioredis a program may give. */
export type ConnectionOptions = Pick<
  IoredisOptions,
  | 'connectTimeout'
  | 'db'
  | 'enableTLSForSentinelMode'
  | 'family'
  | 'name'
  | 'password'
  | 'sentinelPassword'
  | 'sentinels'
  | 'sentinelTLS'
  | 'sentinelUsername'
  | 'tls'
  | 'username'
>;

/** How nodes share sessions over Redis. All nodes are given the same. */
export interface RedisOptions {
  /**
   * What all keys begin with. No braces. Applications that share a Redis need one each: nodes with the same
   * prefix take each other's sessions. Default: `longwire:`.
   */
  readonly prefix?: string;
  /**
   * How long a node that says nothing counts as alive, in milliseconds: a session of a node that died waits
   * so long for its next owner. At least 200. Default: 2 000.
   */
  readonly leaseMs?: number;
  /**
   * How long a command waits for a Redis that is away, in milliseconds, before what needs it is refused.
   * The answers of calls that ran wait longer (30 seconds). Default: 5 000.
   */
  readonly waitMs?: number;
  /**
   * Encrypts what sessions say (AES-256-GCM): the records of sessions, the log, messages between nodes, tasks,
   * calls of workers. Each payload is bound to its place: it opens nowhere else. The first key encrypts, all of
   * them decrypt: to rotate, give all nodes the new one behind the old one, then in front of it, then alone. A
   * key is 32 bytes or more, as such or in base64. The word `'plain'` stands for no encryption, and is rotated
   * the same way: `['plain', key]`, `[key, 'plain']`, `[key]` turns it on node by node. Without that word, what
   * is not encrypted is refused. Default: `['plain']`, no encryption.
   */
  readonly encrypt?: { readonly keys: readonly (string | Uint8Array)[] };
  /**
   * What ioredis is given further, for every connection: `tls`, or `sentinels` with the `name` of the
   * primary. It goes before what the URL says.
   */
  readonly connection?: ConnectionOptions;
  /** The same for a Redis Cluster (an array of URLs): `natMap`, `dnsLookup`. */
  readonly redisCluster?: Pick<ClusterOptions, 'natMap' | 'dnsLookup' | 'slotsRefreshTimeout'>;
}

/** The same, checked and filled in. */
export interface ResolvedRedisOptions {
  readonly prefix: string;
  readonly leaseMs: number;
  readonly waitMs: number;
  readonly encryptionKeys: readonly EncryptionKey[];
  readonly connection: ConnectionOptions;
  readonly redisCluster: NonNullable<RedisOptions['redisCluster']>;
}

const NAMES = ['prefix', 'leaseMs', 'waitMs', 'encrypt', 'connection', 'redisCluster'];
const MIN_LEASE_MS = 200;
const KEY_BYTES = 32;

/**
 * Checks the options of `redis`.
 *
 * @throws TypeError that names what is wrong.
 */
export function resolveRedisOptions(options: RedisOptions = {}): ResolvedRedisOptions {
  for (const name of Object.keys(options)) {
    if (!NAMES.includes(name)) {
      throw new TypeError(`redis: there is no option ${name}; there are ${NAMES.join(', ')}`);
    }
  }
  const { prefix = 'longwire:', leaseMs = 2_000, waitMs = 5_000, encrypt } = options;
  if (typeof prefix !== 'string' || prefix === '' || /[{}\s]/.test(prefix)) {
    throw new TypeError('redis: prefix must be text without braces and spaces, such as longwire:');
  }
  if (!Number.isFinite(leaseMs) || leaseMs < MIN_LEASE_MS) {
    throw new TypeError(
      `redis: leaseMs must be a number of milliseconds, at least ${MIN_LEASE_MS}`,
    );
  }
  if (!Number.isFinite(waitMs) || waitMs < 0) {
    throw new TypeError('redis: waitMs must be a number of milliseconds');
  }
  return {
    prefix,
    leaseMs,
    waitMs,
    encryptionKeys: encrypt === undefined ? [PLAIN] : keysOf(encrypt.keys),
    connection: options.connection ?? {},
    redisCluster: options.redisCluster ?? {},
  };
}

function keysOf(given: readonly (string | Uint8Array)[]): EncryptionKey[] {
  if (!Array.isArray(given) || given.length === 0) {
    throw new TypeError('redis: encrypt.keys must be an array with a key or more');
  }
  return given.map((key, index) => {
    if (key === PLAIN) return PLAIN;
    const bytes = typeof key === 'string' ? Buffer.from(key, 'base64') : key;
    if (!(bytes instanceof Uint8Array) || bytes.length < KEY_BYTES) {
      throw new TypeError(
        `redis: encrypt.keys[${index}] must be ${KEY_BYTES} bytes or more, as such or in base64, or 'plain'`,
      );
    }
    return bytes;
  });
}

/**
 * Checks where Redis is.
 *
 * @throws TypeError that says what is wrong, without the password.
 */
export function checkUrls(given: string | readonly string[]): readonly string[] {
  const urls = typeof given === 'string' ? [given] : given;
  if (!Array.isArray(urls) || urls.length === 0) {
    throw new TypeError('redis: give a URL such as redis://127.0.0.1:6379, or an array of them');
  }
  for (const url of urls as readonly unknown[]) {
    const parsed = typeof url === 'string' ? parse(url) : undefined;
    if (parsed === undefined || !['redis:', 'rediss:'].includes(parsed.protocol)) {
      throw new TypeError(
        'redis: a URL must be redis://HOST:PORT or rediss://HOST:PORT, with a user and a password before HOST where Redis asks for them',
      );
    }
  }
  return urls as readonly string[];
}

function parse(url: string): URL | undefined {
  return URL.canParse(url) ? new URL(url) : undefined;
}
