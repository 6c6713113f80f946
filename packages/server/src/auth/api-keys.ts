import { INVALID_REQUEST } from '@modelcontextprotocol/server';
import type { FastifyRequest } from 'fastify';
import { createHash, timingSafeEqual } from 'node:crypto';
import { checkNames } from '../check-options.js';
import type { Principal } from '../principal.js';
import { AuthenticationError, unauthorized } from './authentication-error.js';
import type { Authenticator } from './authenticator.js';
import { isScope } from './challenge.js';
import { apiKeysOf, isCredential } from './credentials.js';
import { isPrincipalId } from './principals.js';
import { MemoryRevocationStore, type RevocationStore } from './revocation-store.js';

/** One key, and whose it is. */
export interface ApiKey {
  /** The id of the principal. One principal may have several keys, so that they can be replaced. */
  readonly principal: string;
  /**
   * The SHA-256 of the key in hexadecimal, as {@link hashApiKey} makes it. A key must be random, of at
   * least 128 bits: a guessable one can be found from its hash.
   */
  readonly sha256: string;
  /** Scopes for tools that ask for some. Default: none. */
  readonly scopes?: readonly string[];
}

/** Options of {@link apiKeys}. */
export interface ApiKeysOptions {
  /**
   * At least one. Each request is compared with all of them: hundreds cost tens of microseconds, tens of
   * thousands cost milliseconds. For so many, give `auth` a function that looks up {@link hashApiKey} of the key.
   */
  readonly keys: readonly ApiKey[];
}

/** What {@link apiKeys} makes. */
export interface ApiKeyAuthenticator extends Authenticator {
  /**
   * Revokes a key while the server runs, on all nodes of a cluster: this one refuses it from now on, the
   * others within a moment, and nodes that start later, too. Sessions and subscriptions that were opened
   * with it end. It is forgotten when the process ends, in a cluster after a year: remove the key from the
   * configuration as well.
   *
   * @param sha256 the hash of the key, as it is configured.
   * @throws TypeError when it is no hash of {@link hashApiKey}.
   * @throws ClusterAwayError when the other nodes cannot be told: do it again.
   */
  revoke(sha256: string): Promise<void>;
}

const MESSAGE =
  'The request has no valid API key: send one as Authorization: Bearer, x-api-key or api_key';

/**
 * Authenticates requests by API keys, sent as `Authorization: Bearer`, `x-api-key` or `api_key`. Only
 * hashes of keys are configured, and tools do not see the key: `ctx.http.authInfo.token` is empty.
 *
 * ```ts
 * auth: apiKeys({ keys: [{ principal: 'ci', sha256: '9f86d0…' }] })
 * ```
 *
 * @throws TypeError that names the wrong entry.
 */
export function apiKeys(options: ApiKeysOptions): ApiKeyAuthenticator {
  const entries = checkKeys(options);
  const own = new MemoryRevocationStore();
  // One for each mount.
  const stores = new Set<RevocationStore>([own]);
  return {
    authenticate: (request) => {
      const { sha256, principal } = authenticate(request, entries);
      for (const store of stores) if (store.isRevoked(sha256)) throw revoked();
      return principal;
    },
    register: (app, mount) => {
      const { revocations } = mount;
      const stopListening = revocations.listen((sha256) => {
        const entry = entries.find((it) => it.sha256 === sha256);
        if (entry !== undefined) mount.end((principal) => principal === entry.principal);
      });
      stores.add(revocations);
      app.addHook('onClose', async () => {
        stopListening();
        stores.delete(revocations);
      });
    },
    revoke: async (sha256) => {
      // The value is not shown: it may be a key by mistake.
      if (!isHash(sha256)) throw new TypeError(`revoke takes ${HASH_FORM}`);
      const hash = sha256.toLowerCase();
      await Promise.all([...stores].map(async (store) => store.revoke(hash)));
    },
  };
}

/**
 * The SHA-256 of an API key, in hexadecimal, for {@link ApiKey.sha256}.
 *
 * @throws TypeError when the key is empty or has a character that no header carries unchanged: keys
 * are visible ASCII.
 */
export function hashApiKey(key: string): string {
  if (typeof key !== 'string' || !isCredential(key)) {
    throw new TypeError('an API key must be visible ASCII without spaces, at least one character');
  }
  return digestOf(key).toString('hex');
}

interface Entry {
  readonly digest: Buffer;
  readonly sha256: string;
  readonly principal: Principal;
}

function authenticate(request: FastifyRequest, entries: readonly Entry[]): Entry {
  const keys = apiKeysOf(request);
  const [key] = keys;
  if (key === undefined) throw unauthorized(MESSAGE, { reason: 'no API key', isGuess: false });
  if (keys.length > 1) {
    throw new AuthenticationError(
      {
        status: 400,
        code: INVALID_REQUEST,
        message: 'The request has two different API keys: send one',
      },
      { reason: 'two different API keys', isGuess: false },
    );
  }
  const digest = digestOf(key);
  let found: Entry | undefined;
  // Every entry is compared, so that the time does not say which one, or whether one, is equal.
  for (const entry of entries) if (timingSafeEqual(entry.digest, digest)) found = entry;
  if (found === undefined || !isCredential(key)) {
    throw unauthorized(MESSAGE, { reason: 'unknown API key', isGuess: true });
  }
  return found;
}

/** What a revoked key is answered with: the same as one that never was. */
function revoked(): AuthenticationError {
  return unauthorized(MESSAGE, { reason: 'revoked API key', isGuess: false });
}

const HASH_FORM = '64 hexadecimal digits: see hashApiKey';

function isHash(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/i.test(value);
}

function digestOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

function checkKeys(options: ApiKeysOptions): readonly Entry[] {
  const { keys } = checkNames('apiKeys', options, ['keys']);
  if (!Array.isArray(keys) || keys.length === 0) {
    throw new TypeError('apiKeys.keys must be an array with at least one key');
  }
  const seen = new Set<string>();
  return keys.map((value: unknown, at) => {
    const name = `apiKeys.keys[${at}]`;
    const key = checkNames(name, value, ['principal', 'sha256', 'scopes']);
    const { principal, sha256, scopes = [] } = key;
    if (!isPrincipalId(principal)) {
      throw new TypeError(`${name}.principal must be a name of 1 to 512 characters`);
    }
    // The value is not shown: it may be a key by mistake.
    if (!isHash(sha256)) throw new TypeError(`${name}.sha256 must be ${HASH_FORM}`);
    const hash = sha256.toLowerCase();
    if (seen.has(hash)) throw new TypeError(`${name}.sha256 is that of an entry before it`);
    seen.add(hash);
    if (!Array.isArray(scopes) || !scopes.every((scope) => isScope(scope))) {
      throw new TypeError(`${name}.scopes must be an array of scopes without spaces`);
    }
    // Every request of the key shares it.
    const authInfo = Object.freeze({
      token: '',
      clientId: principal,
      scopes: Object.freeze([...scopes]) as string[],
    });
    return {
      digest: Buffer.from(hash, 'hex'),
      sha256: hash,
      principal: { id: principal, authInfo },
    };
  });
}
