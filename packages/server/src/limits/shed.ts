import underPressure from '@fastify/under-pressure';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { getHeapStatistics } from 'node:v8';
import type { Call, CallGate } from '../calls/call.js';
import type { Refusal } from '../refusal.js';
import { checkCountOrAny, checkDurationMs, checkNames } from '../check-options.js';
import { overloaded } from './refusals.js';

/**
 * When new work is refused, with 503 and `Retry-After`, so that work in progress can end: new sessions
 * and new calls. Streams that are open or resumed, pings, answers, cancellations and `DELETE` always
 * pass: to refuse them would free nothing.
 */
export interface ShedOptions {
  /**
   * By how much the event loop runs late, on average over `sampleMs`. `Infinity` for no limit.
   * Default: 2 000: more than heavy use brings, less than most clients wait.
   */
  readonly maxEventLoopDelayMs?: number;
  /**
   * Bytes of the JavaScript heap in use. `Infinity` for no limit. Default: nine tenths of what V8 allows
   * this process (`--max-old-space-size`); above that it would soon end.
   */
  readonly maxHeapBytes?: number;
  /** Bytes of memory of the whole process. Default: `Infinity`, no limit. */
  readonly maxRssBytes?: number;
  /** How often all of this is measured. Default: 1 000. */
  readonly sampleMs?: number;
  /** When clients should try again. `Retry-After` says it in whole seconds. Default: 5 000. */
  readonly retryAfterMs?: number;
}

/** When new work is refused, checked and filled in. */
export interface ResolvedShedOptions {
  readonly maxEventLoopDelayMs: number;
  readonly maxHeapBytes: number;
  readonly maxRssBytes: number;
  readonly sampleMs: number;
  readonly retryAfterMs: number;
}

const NAMES = ['maxEventLoopDelayMs', 'maxHeapBytes', 'maxRssBytes', 'sampleMs', 'retryAfterMs'];

/**
 * Checks the option `shed`; `false` switches shedding off.
 *
 * @throws TypeError that names what is wrong.
 */
export function resolveShed(options: ShedOptions | false = {}): ResolvedShedOptions {
  const given =
    options === false
      ? { maxEventLoopDelayMs: Infinity, maxHeapBytes: Infinity }
      : checkNames('shed', options, NAMES);
  const {
    maxEventLoopDelayMs = 2_000,
    maxHeapBytes = Math.floor(getHeapStatistics().heap_size_limit * 0.9),
    maxRssBytes = Infinity,
    sampleMs = 1_000,
    retryAfterMs = 5_000,
  } = given as ShedOptions;
  return {
    maxEventLoopDelayMs: checkDurationMs('shed.maxEventLoopDelayMs', maxEventLoopDelayMs),
    maxHeapBytes: checkCountOrAny('shed.maxHeapBytes', maxHeapBytes),
    maxRssBytes: checkCountOrAny('shed.maxRssBytes', maxRssBytes),
    sampleMs: checkDurationMs('shed.sampleMs', sampleMs),
    retryAfterMs: checkDurationMs('shed.retryAfterMs', retryAfterMs),
  };
}

/**
 * Measures the process with `@fastify/under-pressure` until the application closes.
 *
 * @returns what refuses new work; nothing where every limit is `Infinity`.
 */
export async function createLoadShedder(
  app: FastifyInstance,
  options: ResolvedShedOptions,
): Promise<LoadShedder | undefined> {
  const { maxEventLoopDelayMs, maxHeapBytes, maxRssBytes, sampleMs } = options;
  if (Math.min(maxEventLoopDelayMs, maxHeapBytes, maxRssBytes) === Infinity) return undefined;
  // In a scope without routes: the plugin's own hook would refuse answers and cancellations, too, and
  // its decorators cannot be added twice to one scope.
  let measuring: FastifyInstance | undefined;
  await app.register(async (scope) => {
    await scope.register(underPressure, {
      maxEventLoopDelay: maxEventLoopDelayMs,
      maxHeapUsedBytes: maxHeapBytes,
      maxRssBytes,
      sampleInterval: sampleMs,
    });
    measuring = scope;
  });
  if (measuring === undefined) throw new Error('@fastify/under-pressure was not registered');
  return new LoadShedder(measuring, app.log, options);
}

/** Refuses new work while the process is overloaded. */
export class LoadShedder implements CallGate {
  readonly #measuring: FastifyInstance;
  readonly #log: FastifyBaseLogger;
  readonly #refusal: Refusal;
  #isShedding = false;

  /** @param measuring where `@fastify/under-pressure` is registered. */
  constructor(
    measuring: FastifyInstance,
    log: FastifyBaseLogger,
    { retryAfterMs }: Pick<ResolvedShedOptions, 'retryAfterMs'>,
  ) {
    this.#measuring = measuring;
    this.#log = log;
    this.#refusal = overloaded(retryAfterMs);
  }

  /** Why no session may be opened now. A stream that resumes a session is not asked about. */
  refusesSession(): Refusal | undefined {
    const isOverloaded = this.#measuring.isUnderPressure();
    if (isOverloaded !== this.#isShedding) {
      this.#isShedding = isOverloaded;
      const measured = this.#measuring.memoryUsage();
      if (isOverloaded) this.#log.warn(measured, 'overloaded: new work is refused (shed)');
      else this.#log.info(measured, 'no longer overloaded: new work is taken');
    }
    return isOverloaded ? this.#refusal : undefined;
  }

  admit(call: Call): Refusal | undefined {
    // A client that is refused a ping takes its session for lost.
    return call.method === 'ping' ? undefined : this.refusesSession();
  }
}
