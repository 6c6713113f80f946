import { AsyncResource } from 'node:async_hooks';
import { LRUCache } from 'lru-cache';
import type { McpRequest, Middleware } from './contract.js';
import { failureOf } from '../connection/failures.js';
import { LongwireError, type Certainty } from '../errors.js';
import { mayRunTwice } from './may-run-twice.js';
import { RequestHeader, unauthorized } from './request-header.js';
import { unlessAborted } from './waiting.js';
import { MAX_TIMER_MS } from '../options/checks.js';
import { checkOptions, withDefaults, type OptionTable } from '../options/option.js';

/** Why a new token is needed, and for whom. */
export interface TokenContext {
  /**
   * - `first`: there is none yet.
   * - `expiry`: it expires soon, or has expired.
   * - `interval`: it is older than `intervalMs`.
   * - `refused`: the server refused it with a 401.
   */
  readonly reason: 'first' | 'expiry' | 'interval' | 'refused';
  /** The token before, if there was one. */
  readonly previous: string | undefined;
  /**
   * The origin of the server that is to get it; `undefined` for one that is not at a URL. A token
   * goes to no other: where clients of several servers share a `tokenRefresh`, each origin has one.
   */
  readonly origin: string | undefined;
  /**
   * For whom it is, as `client.as` was told; `undefined` for the client itself. A token goes to no
   * other: each principal has its own.
   */
  readonly principal: string | undefined;
  /** Aborted after `timeoutMs`. */
  readonly signal: AbortSignal;
}

/** A token, and until when it is valid; without a time it does not expire. */
export interface Token {
  token: string;
  /** In milliseconds since 1970, as `Date.now()` gives them. */
  expiresAt?: number | undefined;
  /** In milliseconds from when it was given; instead of `expiresAt`. */
  expiresInMs?: number | undefined;
}

/** Options of {@link tokenRefresh}. */
export interface TokenRefreshOptions {
  /**
   * Gets a token for an origin and a principal. It is called once for all requests of them that wait
   * for it.
   */
  provider: (context: TokenContext) => Promise<Token | string> | Token | string;
  /**
   * How long before its expiry a token is replaced, in milliseconds. A token that is valid for less
   * than twice that is replaced at half its time. Default 60 000.
   */
  refreshBeforeMs?: number;
  /** When a token that does not expire is replaced, in milliseconds. Default `Infinity`; only when it is refused. */
  intervalMs?: number;
  /** How long the provider may take, in milliseconds. Default 30 000. */
  timeoutMs?: number;
  /** The header that carries the token. Default `authorization`. */
  header?: string;
  /** The word before the token in the header; `''` for none. Default `Bearer`. */
  scheme?: string;
  /** The time in milliseconds since 1970. Default: `Date.now`. */
  now?: () => number;
}

/** Every option of a token refresh. */
export const TOKEN_REFRESH: OptionTable<
  TokenRefreshOptions,
  'refreshBeforeMs' | 'intervalMs' | 'timeoutMs' | 'header' | 'scheme' | 'now'
> = {
  provider: { kind: 'function' },
  refreshBeforeMs: { kind: 'duration', default: 60_000 },
  intervalMs: { kind: 'duration', default: Infinity, otherwise: 'only when it is refused' },
  timeoutMs: { kind: 'duration', default: 30_000 },
  header: { kind: 'text', default: 'authorization' },
  // It may be empty.
  scheme: { kind: 'other', default: 'Bearer' },
  now: { kind: 'function', default: () => Date.now(), otherwise: '`Date.now`' },
};

interface Held {
  readonly token: string;
  readonly expiresAt: number;
  /** When it has to be replaced, and why then. */
  readonly dueAt: number;
  readonly dueBy: 'expiry' | 'interval';
}

/** How many principals and origins have a token at a time; beyond that, the provider is asked again. */
const MAX_OWNERS = 10_000;

/** For how long a token that is still valid is used after its provider has failed. */
const PAUSE_MS = 1000;

/**
 * Sends a token with every request, and keeps it fresh. The provider is called:
 *
 * - before the first request;
 * - before the token expires, or at an interval if it does not;
 * - when the server refuses the token. The refused request is then sent once more; one that was sent
 *   before, on a connection that was lost, only if it may run twice.
 *
 * There is no timer: a token is replaced when a request comes, a ping of the connection's own included,
 * and the request waits for it. A request that has the header already keeps it, and so does one whose
 * principal has credentials of its own.
 *
 * Each origin has a token of its own, and each principal of `client.as`; all requests of them share it.
 * The provider runs in the async context in which this was called, not in that of a request.
 *
 * If the provider fails, gives no token or takes too long, requests use the token before while it is
 * valid. Otherwise they fail with the code `unauthorized`.
 *
 * @throws TypeError that names a wrong option.
 */
export function tokenRefresh(options: TokenRefreshOptions): Middleware {
  const settings = resolveOptions(options);
  const byOwner = new LRUCache<string, Tokens>({ max: MAX_OWNERS });
  const tokensFor = ({ origin, principal }: McpRequest): Tokens => {
    const owner = principal === undefined ? `${origin}` : JSON.stringify([origin, principal]);
    let tokens = byOwner.get(owner);
    if (tokens === undefined) {
      tokens = new Tokens(settings, { origin, principal });
      byOwner.set(owner, tokens);
    }
    return tokens;
  };
  const { scheme, header: name } = settings;
  if (typeof scheme !== 'string') throw new TypeError('tokenRefresh.scheme: not a string');
  const header = new RequestHeader(name);
  const valueOf = ({ token }: Held): string => (scheme === '' ? token : `${scheme} ${token}`);
  return async (request, next) => {
    if (!header.isFree(request)) return next();
    const tokens = tokensFor(request);
    const sent = await tokens.take(request);
    header.set(request, valueOf(sent));
    try {
      return await next();
    } catch (error) {
      if (!(error instanceof LongwireError) || error.code !== 'unauthorized') throw error;
      tokens.refuse(sent);
      // It was sent with this token before, and perhaps ran: on a connection that was lost.
      const { certainty } = error;
      const mayHaveRun = certainty === 'outcome-unknown';
      if (mayHaveRun && !mayRunTwice(request)) throw error;
      const fresh = await tokens.take(request).catch((cause: unknown) => {
        throw stillCertain(certainty, cause);
      });
      header.set(request, valueOf(fresh));
      return await next().catch((cause: unknown) => {
        const isKnown = !mayHaveRun || !(cause instanceof LongwireError);
        throw isKnown ? cause : failureOf({ losses: 1, repeats: 0 }, cause);
      });
    }
  };
}

/** Options with the defaults filled in. */
interface TokenSettings {
  provider: TokenRefreshOptions['provider'];
  refreshBeforeMs: number;
  intervalMs: number;
  timeoutMs: number;
  header: string;
  scheme: string;
  now: () => number;
  /** The async context in which they were given. */
  scope: AsyncResource;
}

function resolveOptions(options: TokenRefreshOptions): TokenSettings {
  checkOptions(options, TOKEN_REFRESH, 'tokenRefresh');
  if (options.provider === undefined) {
    throw new TypeError('tokenRefresh.provider: not a function');
  }
  const { timeoutMs, ...rest } = withDefaults(TOKEN_REFRESH, options);
  return {
    ...rest,
    provider: options.provider,
    timeoutMs: Math.ceil(Math.min(timeoutMs, MAX_TIMER_MS)),
    scope: new AsyncResource('longwire.token'),
  };
}

/** Holds a token for an origin and a principal, and gets another when it is due. */
class Tokens {
  readonly #settings: TokenSettings;
  readonly #owner: Pick<TokenContext, 'origin' | 'principal'>;
  #held: Held | undefined;
  #refused: Held | undefined;
  #flight: Promise<Held> | undefined;
  /** When a provider that failed is called again for a token that is not needed yet. */
  #pausedUntil = 0;

  constructor(settings: TokenSettings, owner: Pick<TokenContext, 'origin' | 'principal'>) {
    this.#settings = settings;
    this.#owner = owner;
  }

  /** A token to send now. */
  async take(request: McpRequest): Promise<Held> {
    const held = this.#held;
    if (held === undefined || !this.#isGood(held)) {
      return unlessAborted(this.#refresh(), request.signal);
    }
    const now = this.#settings.now();
    if (now < held.dueAt || now < this.#pausedUntil) return held;
    try {
      return await unlessAborted(this.#refresh(), request.signal);
    } catch (error) {
      if (request.signal.aborted || this.#held !== held || !this.#isGood(held)) throw error;
      return held;
    }
  }

  /** The server refused a token; it may not be the present one any more. */
  refuse(token: Held): void {
    if (this.#held !== token) return;
    this.#held = undefined;
    this.#refused = token;
  }

  #isGood({ expiresAt }: Held): boolean {
    return this.#settings.now() < expiresAt;
  }

  #refresh(): Promise<Held> {
    this.#flight ??= this.#ask().finally(() => {
      this.#flight = undefined;
    });
    return this.#flight;
  }

  async #ask(): Promise<Held> {
    const { provider, timeoutMs, now, scope } = this.#settings;
    const previous = this.#held ?? this.#refused;
    // Its timer keeps no process alive: the requests that wait have timers of their own.
    const signal = AbortSignal.timeout(timeoutMs);
    const context: TokenContext = {
      reason: this.#held?.dueBy ?? (this.#refused === undefined ? 'first' : 'refused'),
      previous: previous?.token,
      ...this.#owner,
      signal,
    };
    try {
      const ask = (): Promise<Token | string> => Promise.resolve(context).then(provider);
      const given = scope.runInAsyncScope(ask);
      this.#held = this.#read(await unlessAborted(given, signal));
    } catch (error) {
      this.#pausedUntil = now() + PAUSE_MS;
      const late = new Error(`it took longer than ${timeoutMs} ms`, { cause: error });
      throw unauthorized('the token provider failed', signal.aborted ? late : error);
    }
    this.#refused = undefined;
    return this.#held;
  }

  #read(given: Token | string | undefined): Held {
    const { token, expiresAt, expiresInMs } =
      typeof given === 'string' ? { token: given } : ((given ?? {}) as Partial<Token>);
    if (typeof token !== 'string' || token === '') throw new Error('it gave no token');
    const { refreshBeforeMs, intervalMs } = this.#settings;
    const now = this.#settings.now();
    const endsAt = expiresAt ?? (expiresInMs === undefined ? undefined : now + expiresInMs);
    if (endsAt === undefined) {
      return { token, expiresAt: Infinity, dueAt: now + intervalMs, dueBy: 'interval' };
    }
    if (typeof endsAt !== 'number' || Number.isNaN(endsAt)) {
      throw new Error('the time that it gave for the end of the token is not a number');
    }
    if (endsAt <= now) throw new Error('the token that it gave has expired already');
    const dueAt = Math.max(endsAt - refreshBeforeMs, now + (endsAt - now) / 2);
    return { token, expiresAt: endsAt, dueAt, dueBy: 'expiry' };
  }
}

/** The request had gone out with the token before. */
function stillCertain(certainty: Certainty, error: unknown): unknown {
  if (!(error instanceof LongwireError) || error.code !== 'unauthorized') return error;
  const { summary, code, cause } = error;
  return new LongwireError(summary, { code, certainty, cause });
}
