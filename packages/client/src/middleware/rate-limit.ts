import { LRUCache } from 'lru-cache';
import { withoutIdentity, type McpRequest, type Middleware } from './contract.js';
import { LongwireError } from '../errors.js';
import { TokenBucket, type Rate } from './token-bucket.js';
import { toolOf, toolTable } from './tools.js';
import { checkPositive } from '../options/checks.js';
import { checkOptions, withDefaults, type OptionTable } from '../options/option.js';

/** Options of {@link rateLimit}. `perSecond` or `tools` must be given. */
export interface RateLimitOptions extends Partial<Rate> {
  /**
   * Rates of calls, by name of the tool or by pattern (`search_*`). They apply in addition to the rate
   * of all requests, and every tool that a pattern matches has its own.
   */
  tools?: Readonly<Record<string, Rate>>;
  /**
   * Whether each principal of `client.as` has rates of its own, and so have all calls that are made for
   * nobody. Otherwise all share them. Default `false`.
   */
  perPrincipal?: boolean;
  /** What happens to a request over the rate: it waits, in order, or is refused. Default `wait`. */
  over?: 'wait' | 'refuse';
  /** How many requests may wait; one more is refused. Default 1 000. */
  maxQueued?: number;
}

const RATE: OptionTable<Rate> = {
  perSecond: { kind: 'amount' },
  burst: { kind: 'whole' },
};

/** Every option of a rate limit. */
export const RATE_LIMIT: OptionTable<RateLimitOptions, 'perPrincipal' | 'over' | 'maxQueued'> = {
  ...RATE,
  tools: { kind: 'other' },
  perPrincipal: { kind: 'flag', default: false },
  over: { kind: 'enum', values: ['wait', 'refuse'], default: 'wait' },
  maxQueued: { kind: 'whole', default: 1000 },
};

/** How many tools and principals have a rate of their own at a time: the latest ones. */
const MAX_BUCKETS = 10_000;

/**
 * Limits how many requests go out in a second, all together and by tool. Clients that are given
 * the same middleware share its rates. A request that waits uses its own time, and ends when it is
 * aborted. The connection's own requests are neither counted nor delayed.
 *
 * A request over the rate is refused with the code `limit-exceeded`, one that finds `maxQueued`
 * others waiting with `queue-full`; neither was sent.
 *
 * @throws TypeError that names a wrong option.
 */
export function rateLimit(options: RateLimitOptions): Middleware {
  checkOptions(options, RATE_LIMIT, 'rateLimit');
  const { perSecond, burst, tools, perPrincipal, over, maxQueued } = withDefaults(
    RATE_LIMIT,
    options,
  );
  if (perSecond === undefined && tools === undefined) {
    throw new TypeError('rateLimit: neither perSecond nor tools is given');
  }
  const rateOf = toolTable('rateLimit.tools', tools, (name, rate) => {
    checkOptions(rate ?? null, RATE, name);
    checkPositive(`${name}.perSecond`, rate.perSecond ?? Number.NaN);
  });
  const buckets = new LRUCache<string, TokenBucket>({ max: MAX_BUCKETS });
  let waiting = 0;

  const bucketOf = (key: string, rate: Rate): TokenBucket => {
    let bucket = buckets.get(key);
    if (bucket === undefined) buckets.set(key, (bucket = new TokenBucket(rate)));
    return bucket;
  };
  const shared = perSecond === undefined ? [] : [new TokenBucket({ perSecond, burst })];

  /** The rates that apply to a request, that of its tool first. */
  const bucketsFor = ({ principal }: McpRequest, tool: string | undefined): TokenBucket[] => {
    const who = perPrincipal ? principal : undefined;
    const forAll =
      perSecond === undefined || who === undefined
        ? shared
        : [bucketOf(JSON.stringify([who]), { perSecond, burst })];
    const rate = tool === undefined ? undefined : rateOf(tool);
    if (rate === undefined) return forAll;
    const key = who === undefined ? `tool ${tool}` : JSON.stringify([who, tool]);
    return [bucketOf(key, rate), ...forAll];
  };

  return withoutIdentity(async (request, next) => {
    if (request.internal) return next();
    const tool = toolOf(request);
    const rates = bucketsFor(request, tool);
    if (rates.every((bucket) => bucket.isReady())) {
      for (const bucket of rates) bucket.take();
      return next();
    }
    const what = tool ?? request.method;
    if (over === 'refuse') throw overRate(what);
    if (waiting >= maxQueued) throw tooManyWait(what, maxQueued);
    waiting++;
    try {
      for (const bucket of rates) await bucket.wait(request.signal);
    } finally {
      waiting--;
    }
    return next();
  });
}

function overRate(what: string): LongwireError {
  return new LongwireError(`${what} was not sent: it is over the rate limit`, {
    code: 'limit-exceeded',
    certainty: 'not-sent',
    hint: "call less often, or let calls wait with over: 'wait'",
  });
}

function tooManyWait(what: string, limit: number): LongwireError {
  return new LongwireError(`${what} was not sent: ${limit} requests wait for the rate limit`, {
    code: 'queue-full',
    certainty: 'not-sent',
    hint: 'wait for some, or raise maxQueued of rateLimit',
  });
}
