import type { AuthInfo } from '@modelcontextprotocol/server';
import type { FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import { createHash } from 'node:crypto';
import { checkCount, checkDurationMs, checkNames } from '../check-options.js';
import type { MaybePromise, Principal } from '../principal.js';
import { RefusedError } from '../refusal.js';
import { unavailable } from './authentication-error.js';
import type { Authenticate, Authenticator } from './authenticator.js';
import { toAuthenticator } from './resolve-authenticator.js';

/** A token for servers behind this one. */
export interface ExchangedToken {
  readonly token: string;
  /** When it expires, in seconds since 1970. */
  readonly expiresAt?: number;
  /** Added to `ctx.http.authInfo.extra`. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** Options of {@link exchangeToken}. */
export interface ExchangeTokenOptions {
  /**
   * Gets the token for the servers behind this one: the token alone, or with its expiry; the SDK's
   * `AuthInfo` fits. The token that came is `principal.authInfo.token` after `jwt`. What it throws becomes 503,
   * unless it is a `RefusedError`.
   */
  readonly exchange: (
    principal: Principal,
    request: FastifyRequest,
  ) => MaybePromise<string | ExchangedToken | AuthInfo>;
  /** How long a token without an expiry is used. Default: 300 000 (5 minutes). */
  readonly defaultLifetimeMs?: number;
  /** How long before its expiry a token is not used any more: a call takes time. Default: 30 000. */
  readonly renewBeforeMs?: number;
  /** How many tokens are kept; the one used the longest ago is forgotten. Default: 10 000. */
  readonly maxTokens?: number;
  /** How long an exchange may take. Default: 10 000. */
  readonly timeoutMs?: number;
}

/** Options of the same name, checked and filled in. */
interface Resolved {
  readonly exchange: ExchangeTokenOptions['exchange'];
  readonly defaultLifetimeMs: number;
  readonly renewBeforeMs: number;
  readonly maxTokens: number;
  readonly timeoutMs: number;
}

/**
 * Authenticates by another authenticator, and exchanges what came for a token of the servers behind this
 * one. Tools see that one as `ctx.http.authInfo.token`, and never the client's own: "MCP servers MUST NOT pass
 * through the token it received from the MCP client".
 *
 * Each request is authenticated; the exchange is kept for principal and credential until the token
 * expires, and requests that come meanwhile wait for the same exchange.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization/security-considerations
 * @throws TypeError that names the wrong option.
 */
export function exchangeToken(auth: Authenticate, options: ExchangeTokenOptions): Authenticator {
  const resolved = resolve(options);
  const authenticator = toAuthenticator(auth);
  const tokens = new TokenExchange(resolved);
  return {
    authenticate: async (request) => {
      const principal = await authenticator.authenticate(request);
      return withToken(principal, await tokens.of(principal, request));
    },
    register: (app, mount) => authenticator.register?.(app, mount),
  };
}

class TokenExchange {
  readonly #options: Resolved;
  readonly #kept: LRUCache<string, ExchangedToken>;
  readonly #running = new Map<string, Promise<ExchangedToken>>();

  constructor(options: Resolved) {
    this.#options = options;
    this.#kept = new LRUCache({ max: options.maxTokens });
  }

  async of(principal: Principal, request: FastifyRequest): Promise<ExchangedToken> {
    const key = keyOf(principal, request);
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept;
    let running = this.#running.get(key);
    if (running === undefined) {
      running = this.#exchange(principal, request, key).finally(() => this.#running.delete(key));
      this.#running.set(key, running);
    }
    return running;
  }

  async #exchange(
    principal: Principal,
    request: FastifyRequest,
    key: string,
  ): Promise<ExchangedToken> {
    const { timeoutMs, defaultLifetimeMs, renewBeforeMs } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      const expire = (): void =>
        reject(new Error(`exchange took over ${timeoutMs} ms (timeoutMs)`));
      if (timeoutMs !== Infinity) timer = setTimeout(expire, timeoutMs).unref();
    });
    try {
      const asked = (async () => this.#options.exchange(principal, request))();
      const token = checked(await Promise.race([asked, late]));
      const now = Date.now();
      const ends =
        token.expiresAt === undefined ? now + defaultLifetimeMs : token.expiresAt * 1_000;
      const ttl = Math.floor(ends - now - (token.expiresAt === undefined ? 0 : renewBeforeMs));
      if (ttl > 0) this.#kept.set(key, token, { ttl });
      return token;
    } catch (error) {
      if (error instanceof RefusedError) throw error;
      throw unavailable('A token for the servers behind this one cannot be had now', {
        reason: 'the exchange of a token failed',
        error,
        retryAfterMs: 5_000,
      });
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Principal and credential, hashed: a heap dump shows no credential of this cache's. */
function keyOf(principal: Principal, { headers }: FastifyRequest): string {
  const parts = [
    principal.id,
    principal.authInfo?.token,
    headers.authorization,
    headers['x-api-key'],
    headers['api_key'],
    headers.cookie,
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64');
}

/** Scopes and challenges stay those of the token that came; only what goes on is replaced. */
function withToken(principal: Principal, { token, expiresAt, extra }: ExchangedToken): Principal {
  const came: AuthInfo = principal.authInfo ?? { token: '', clientId: principal.id, scopes: [] };
  const ends = [came.expiresAt, expiresAt].filter((at) => at !== undefined);
  return {
    ...principal,
    authInfo: {
      ...came,
      token,
      ...(ends.length > 0 && { expiresAt: Math.min(...ends) }),
      ...(extra !== undefined && { extra: { ...came.extra, ...extra } }),
    },
  };
}

function checked(value: unknown): ExchangedToken {
  if (typeof value === 'string' && value !== '') return { token: value };
  const { token, expiresAt, extra } = (value ?? {}) as Partial<ExchangedToken>;
  if (typeof token !== 'string' || token === '') {
    throw new TypeError('exchange returned neither a token nor an object with a token');
  }
  if (expiresAt !== undefined && !Number.isFinite(expiresAt)) {
    throw new TypeError('exchange returned an expiresAt that is not a number of seconds');
  }
  return {
    token,
    ...(expiresAt !== undefined && { expiresAt }),
    ...(extra !== undefined && { extra }),
  };
}

function resolve(options: ExchangeTokenOptions): Resolved {
  const names = ['exchange', 'defaultLifetimeMs', 'renewBeforeMs', 'maxTokens', 'timeoutMs'];
  checkNames('exchangeToken', options, names);
  if (typeof options.exchange !== 'function') {
    throw new TypeError('exchangeToken.exchange must be a function that returns a token');
  }
  const { defaultLifetimeMs = 300_000, renewBeforeMs = 30_000 } = options;
  if (typeof renewBeforeMs !== 'number' || !(renewBeforeMs >= 0)) {
    throw new TypeError('exchangeToken.renewBeforeMs must be a number that is not negative');
  }
  return {
    exchange: options.exchange,
    defaultLifetimeMs: checkCount('exchangeToken.defaultLifetimeMs', defaultLifetimeMs),
    renewBeforeMs,
    maxTokens: checkCount('exchangeToken.maxTokens', options.maxTokens ?? 10_000),
    timeoutMs: checkDurationMs('exchangeToken.timeoutMs', options.timeoutMs ?? 10_000),
  };
}
