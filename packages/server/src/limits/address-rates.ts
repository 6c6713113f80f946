import rateLimit from '@fastify/rate-limit';
import fastify, { type FastifyInstance } from 'fastify';
import { callbackify } from 'node:util';
import { refuse } from '../refusal.js';
import { MemoryRateStore } from './memory-rate-store.js';
import { networkOf } from './network-of.js';
import type { ResolvedRateOptions } from './rates.js';
import type { RateLimit, RateStore } from './rate-store.js';
import { overRate } from './refusals.js';

type Done = Parameters<rateLimit.FastifyRateLimitStore['incr']>[1];

/** One line of log an address, so that a flood of requests is no flood of lines. */
const LOG_LIMIT: RateLimit = { max: 1, windowMs: 60_000 };

/**
 * Refuses requests of an address beyond `rates.perAddress`, by `@fastify/rate-limit`, for the routes that
 * are added to this application or mount afterwards. Its hook must be added before the one that
 * authenticates: checking a key that is tried in a loop is work, too.
 */
export async function registerAddressRates(
  app: FastifyInstance,
  { perAddress }: ResolvedRateOptions,
  store: RateStore,
): Promise<void> {
  if (perAddress === undefined) return;
  // On an instance of its own: where the application has registered the plugin for itself, the one
  // here would take that one's decorators for its own, and count in its store.
  const owner = fastify();
  await owner.register(rateLimit, {
    global: false,
    max: perAddress.max,
    timeWindow: perAddress.windowMs,
    keyGenerator: ({ ip }) => `address:${networkOf(ip)}`,
    store: storeFor(store),
  });
  const count = owner.createRateLimit();
  const lines = new MemoryRateStore({ maxKeys: 1_000 });
  app.addHook('onClose', () => owner.close());
  app.addHook('onRequest', async (request, reply) => {
    const counted = await count(request);
    if (counted.isAllowed || !counted.isExceeded) return undefined;
    if (lines.take(counted.key, LOG_LIMIT).isAllowed) {
      request.log.warn({ address: request.ip }, 'an address asks too often (rates.perAddress)');
    }
    return refuse(reply, overRate({ option: 'rates.perAddress', limit: perAddress }, counted.ttl));
  });
}

/** The store that `@fastify/rate-limit` makes an instance of. */
function storeFor(store: RateStore): rateLimit.FastifyRateLimitStoreCtor {
  const take = callbackify(async (key: string, max: number, windowMs: number) => {
    const { isAllowed, left, retryAfterMs } = await store.take(key, { max, windowMs });
    return { current: isAllowed ? max - left : max + 1, ttl: retryAfterMs };
  });
  return class AddressStore implements rateLimit.FastifyRateLimitStore {
    incr(key: string, done: Done, windowMs: number, max: number): void {
      take(key, max, windowMs, done);
    }

    child(): this {
      return this;
    }
  };
}
