import type { Call, CallGate } from '../calls/call.js';
import type { MaybePromise } from '../principal.js';
import type { Refusal } from '../refusal.js';
import { checkCount, checkDurationMs, checkNames, checkObject } from '../check-options.js';
import type { RateLimit, RateStore, RateTaken } from './rate-store.js';
import { overRate, type NamedRate } from './refusals.js';
import { ToolPatterns } from './tool-patterns.js';

/**
 * How often clients may ask. A rate of `{ max, windowMs }` is refilled steadily: `max` at once, and one
 * more each `windowMs / max`. What is over it is answered with 429 and `Retry-After`, and does not run.
 *
 * Nothing is limited by default. Behind a proxy all clients have one address, without authentication all
 * are one principal, and an agent at work sends hundreds of calls a second: any number would refuse
 * somebody who does no harm. What is dangerous in a flood is bounded without rates: calls in flight,
 * sessions, bodies, and new work when the process is overloaded.
 */
export interface RateOptions {
  /** All calls of one principal, pings excepted. Default: no limit. */
  readonly perPrincipal?: RateLimit;
  /**
   * All HTTP requests of one address before they are authenticated, an IPv6 network of 64 bits counting
   * as one address. An event stream counts once, when it is opened. Behind a proxy, set Fastify's
   * `trustProxy` first. Default: no limit.
   */
  readonly perAddress?: RateLimit;
  /**
   * Calls of a tool by one principal, by name or by a pattern such as `render_*`. The tools that a pattern
   * matches count together. A tool has one limit at most: the one of its name, or else of the pattern
   * with the most characters beside `*`. Default: no limit.
   */
  readonly tools?: Readonly<Record<string, RateLimit>>;
}

/** The rates, checked. */
export interface ResolvedRateOptions {
  readonly perPrincipal: RateLimit | undefined;
  readonly perAddress: RateLimit | undefined;
  readonly tools: Readonly<Record<string, RateLimit>>;
}

/**
 * Checks the option `rates`.
 *
 * @throws TypeError that names what is wrong.
 */
export function resolveRates(options: RateOptions = {}): ResolvedRateOptions {
  const rates = checkNames('rates', options, ['perPrincipal', 'perAddress', 'tools']);
  const { tools = {} } = rates;
  const limits = Object.entries(checkObject('rates.tools', tools));
  return {
    perPrincipal: checkRate('rates.perPrincipal', rates['perPrincipal']),
    perAddress: checkRate('rates.perAddress', rates['perAddress']),
    tools: Object.fromEntries(
      limits.flatMap(([tool, given]) => {
        const limit = checkRate(`rates.tools[${JSON.stringify(tool)}]`, given);
        return limit === undefined ? [] : [[tool, limit]];
      }),
    ),
  };
}

/**
 * Checks one rate.
 *
 * @returns undefined where none is given, and where its `max` is `Infinity`.
 * @throws TypeError that names what is wrong.
 */
export function checkRate(name: string, given: unknown): RateLimit | undefined {
  if (given === undefined) return undefined;
  const { max, windowMs } = checkNames(name, given, ['max', 'windowMs']);
  if (max === Infinity) return undefined;
  const window = checkDurationMs(`${name}.windowMs`, windowMs);
  if (window === Infinity) throw new TypeError(`${name}.windowMs must not be Infinity`);
  return { max: checkCount(`${name}.max`, max), windowMs: window };
}

/** A rate that one call counts for. */
interface Counted extends NamedRate {
  readonly key: string;
}

/** Refuses calls beyond the rates of principals and tools. */
export class RateGate implements CallGate {
  readonly #perPrincipal: NamedRate | undefined;
  readonly #tools: ToolPatterns<NamedRate>;
  readonly #store: RateStore;

  constructor({ perPrincipal, tools }: ResolvedRateOptions, store: RateStore) {
    this.#perPrincipal = perPrincipal && { option: 'rates.perPrincipal', limit: perPrincipal };
    this.#tools = new ToolPatterns(
      Object.fromEntries(
        Object.entries(tools).map(([tool, limit]) => [
          tool,
          { option: `rates.tools[${JSON.stringify(tool)}]`, limit },
        ]),
      ),
    );
    this.#store = store;
  }

  /** The gate, or nothing where no rate is set. */
  static from(options: ResolvedRateOptions, store: RateStore): RateGate | undefined {
    const isNeeded = options.perPrincipal !== undefined || Object.keys(options.tools).length > 0;
    return isNeeded ? new RateGate(options, store) : undefined;
  }

  admit(call: Call): MaybePromise<Refusal | undefined> {
    // A client that is refused a ping takes its session for lost.
    if (call.method === 'ping') return undefined;
    const principal = call.principal.id;
    const rule =
      call.method === 'tools/call' && call.target !== undefined
        ? this.#tools.find(call.target)
        : undefined;
    // First that of the principal: a flood that its tool refuses counts there, too.
    const counted: Counted[] = [];
    if (this.#perPrincipal) {
      counted.push({ ...this.#perPrincipal, key: `principal:${principal}` });
    }
    if (rule) counted.push({ ...rule.setting, key: `tool:${rule.pattern}:${principal}` });
    return this.#take(counted, 0);
  }

  #take(counted: readonly Counted[], from: number): MaybePromise<Refusal | undefined> {
    const rate = counted[from];
    if (rate === undefined) return undefined;
    const judge = ({ isAllowed, retryAfterMs }: RateTaken): MaybePromise<Refusal | undefined> =>
      isAllowed ? this.#take(counted, from + 1) : overRate(rate, retryAfterMs);
    const taken = this.#store.take(rate.key, rate.limit);
    // Without a promise where none is needed: this is asked for every call.
    return taken instanceof Promise ? taken.then((later) => judge(later)) : judge(taken);
  }
}
