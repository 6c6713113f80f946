import type { FastifyInstance } from 'fastify';
import type { CallGate } from '../calls/call.js';
import type { Refusal } from '../refusal.js';
import { registerAddressRates } from './address-rates.js';
import { MemoryRateStore } from './memory-rate-store.js';
import { MemoryWorkQueue } from './memory-work-queue.js';
import { QueueGate } from './queue-gate.js';
import { resolveQueues, type QueuesOptions, type ResolvedQueueOptions } from './queues.js';
import { RateGate, resolveRates, type RateOptions, type ResolvedRateOptions } from './rates.js';
import type { RateStore } from './rate-store.js';
import { isWatchable, watchTools } from './running-tools.js';
import {
  createLoadShedder,
  resolveShed,
  type ResolvedShedOptions,
  type ShedOptions,
} from './shed.js';
import type { CallWorkers, WorkQueue } from './work-queue.js';

/** What limits the work of one mount. */
export interface LimitOptions {
  /** How often clients may ask. Default: no limit. */
  readonly rates?: RateOptions;
  /** Tools of which only some calls run at a time. Default: none. */
  readonly queues?: QueuesOptions;
  /** When new work is refused; `false` for never. */
  readonly shed?: ShedOptions | false;
}

/** The same, checked and filled in. */
export interface ResolvedLimitOptions {
  readonly rates: ResolvedRateOptions;
  readonly queues: Readonly<Record<string, ResolvedQueueOptions>>;
  readonly shed: ResolvedShedOptions;
}

/** Where limits are counted. Default: the memory of this process. */
export interface LimitStores {
  readonly rates?: RateStore;
  readonly queue?: WorkQueue;
}

/**
 * Checks the options.
 *
 * @throws TypeError that names the wrong one.
 */
export function resolveLimits({ rates, queues, shed }: LimitOptions): ResolvedLimitOptions {
  return { rates: resolveRates(rates), queues: resolveQueues(queues), shed: resolveShed(shed) };
}

/** The limits of one mount, at work. */
export interface Limits {
  /** In the order in which they are asked: the cheapest first, and those that count after the others. */
  readonly gates: readonly CallGate[];
  /** Why no session may be opened now. Ask for new ones, not for streams that resume one. */
  refusesSession(): Refusal | undefined;
  /** Call it for every server before it is connected, so that cancelled tools are seen to end. */
  watch(server: object): void;
  /** How much waits and runs, by queue. */
  depths(): ReadonlyMap<string, ReturnType<WorkQueue['depth']>>;
}

/**
 * Sets the limits up. The hook for addresses is added here: call this after the hook that checks `Host`
 * and before the one that authenticates.
 */
export async function registerLimits(
  app: FastifyInstance,
  { rates, queues, shed }: ResolvedLimitOptions,
  { rates: store = new MemoryRateStore(), queue = new MemoryWorkQueue() }: LimitStores = {},
): Promise<Limits> {
  await registerAddressRates(app, rates, store);
  const shedder = await createLoadShedder(app, shed);
  const rateGate = RateGate.from(rates, store);
  const workers = await connectWorkers(app, queues, queue);
  const queueGate = QueueGate.from(queues, queue, workers);
  const names = Object.keys(queues);
  return {
    gates: [shedder, rateGate, queueGate].filter((gate) => gate !== undefined),
    refusesSession: () => shedder?.refusesSession(),
    watch: (server) => {
      if (queueGate === undefined) return;
      watchTools(server);
      if (workers === undefined || isWatchable(server)) return;
      throw new TypeError(
        'queues: worker is for servers of the SDK, and create has made another one',
      );
    },
    depths: () => new Map(names.map((name) => [name, queue.depth(name)])),
  };
}

/** What runs the calls of queues that have workers; nothing where none has. */
async function connectWorkers(
  app: FastifyInstance,
  queues: Readonly<Record<string, ResolvedQueueOptions>>,
  queue: WorkQueue,
): Promise<CallWorkers | undefined> {
  const names = Object.keys(queues).filter((name) => queues[name]?.limits.worker === true);
  const [first] = names;
  if (first === undefined) return undefined;
  if (queue.workers === undefined) {
    throw new TypeError(
      `queues[${JSON.stringify(first)}].worker needs the option cluster: redis(url) of @longwire/cluster`,
    );
  }
  const workers = await queue.workers(names);
  app.addHook('onClose', () => workers.close());
  return workers;
}
