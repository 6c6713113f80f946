import { LRUCache } from 'lru-cache';
import { checkGroup, checkPositive } from '../connection/options.js';
import { withoutIdentity, type Middleware } from '../connection/middleware.js';
import { LongwireError } from '../errors.js';
import { checkWhole } from './option-checks.js';
import { TokenBucket, type Rate } from './token-bucket.js';
import { toolOf, toolTable } from './tools.js';

/** Options of {@link rateLimit}. `perSecond` or `tools` must be given. */
export interface RateLimitOptions extends Partial<Rate> {
  /**
   * Rates of calls, by name of the tool or by pattern (`search_*`). They go beside the rate of all
   * requests, and every tool that a pattern matches has its own.
   */
  tools?: Readonly<Record<string, Rate>>;
  /** What happens to a request over the rate: it waits, in order, or is refused. Default `wait`. */
  over?: 'wait' | 'refuse';
  /** How many requests may wait; one more is refused. Default 1000. */
  maxWaiting?: number;
}

/** Tools of which the rate is remembered; who is not among the latest has long been idle. */
const MAX_TOOLS = 1000;

/**
 * Limits how many requests go out in a second, all together and by tool. Clients that are given
 * the same middleware share its rates. A request that waits is on its own time, and leaves when it
 * is aborted; the connection's own requests are neither counted nor held up.
 *
 * A request over the rate is refused with the code `limit-exceeded`, one that finds `maxWaiting`
 * others waiting with `queue-full`; neither was sent.
 *
 * @throws TypeError that names a wrong option.
 */
export function rateLimit(options: RateLimitOptions): Middleware {
  checkGroup('rateLimit', options, ['perSecond', 'burst', 'tools', 'over', 'maxWaiting']);
  const { perSecond, burst, tools, over = 'wait', maxWaiting = 1000 } = options;
  if (perSecond === undefined && tools === undefined) {
    throw new TypeError('rateLimit: neither perSecond nor tools is given');
  }
  checkPositive('rateLimit.perSecond', perSecond);
  checkWhole('rateLimit.burst', burst);
  if (over !== 'wait' && over !== 'refuse') {
    throw new TypeError(`rateLimit.over: ${JSON.stringify(over)} is neither wait nor refuse`);
  }
  checkWhole('rateLimit.maxWaiting', maxWaiting);
  const rateOf = toolTable('rateLimit.tools', tools, (name, rate) => {
    checkGroup(name, rate ?? null, ['perSecond', 'burst']);
    checkPositive(`${name}.perSecond`, rate.perSecond ?? Number.NaN);
    checkWhole(`${name}.burst`, rate.burst);
  });
  const forAll = perSecond === undefined ? [] : [new TokenBucket({ perSecond, burst })];
  const byTool = new LRUCache<string, TokenBucket>({ max: MAX_TOOLS });
  let waiting = 0;

  /** The rates that a request goes by, that of its tool first. */
  const bucketsFor = (tool: string | undefined): readonly TokenBucket[] => {
    const rate = tool === undefined ? undefined : rateOf(tool);
    if (tool === undefined || rate === undefined) return forAll;
    let bucket = byTool.get(tool);
    if (bucket === undefined) byTool.set(tool, (bucket = new TokenBucket(rate)));
    return [bucket, ...forAll];
  };

  return withoutIdentity(async (request, next) => {
    if (request.internal) return next();
    const tool = toolOf(request);
    const buckets = bucketsFor(tool);
    if (buckets.every((bucket) => bucket.isReady())) {
      for (const bucket of buckets) bucket.take();
      return next();
    }
    const what = tool ?? request.method;
    if (over === 'refuse') throw overRate(what);
    if (waiting >= maxWaiting) throw tooManyWait(what, maxWaiting);
    waiting++;
    try {
      for (const bucket of buckets) await bucket.wait(request.signal);
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
    hint: 'wait for some, or raise maxWaiting of rateLimit',
  });
}
