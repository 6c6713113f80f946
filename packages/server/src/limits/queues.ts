import {
  checkCount,
  checkCountOrAny,
  checkDurationMs,
  checkFlag,
  checkNames,
  checkObject,
} from '../check-options.js';
import type { QueueLimits } from './work-queue.js';

/** How much of a heavy tool runs at a time, and how the rest waits. */
export interface QueueOptions {
  /** Calls that run at a time. */
  readonly concurrency: number;
  /** Calls of all principals that wait; one more is refused. 0 for none. Default: 100. */
  readonly maxQueued?: number;
  /** How long a call waits before it is refused; `Infinity` for ever. Default: 300 000 (5 minutes). */
  readonly timeoutMs?: number;
  /**
   * Calls of one principal that run and wait; one more is refused. Without it one principal may fill the
   * queue, which keeps others out; those who got in are served in turns all the same.
   * Default: `Infinity`.
   */
  readonly perPrincipal?: number;
  /**
   * How long a call that was cancelled keeps its slot while its tool still runs, because it ignores its
   * signal. Freed at once, a client that calls and cancels in a loop would run any number of them.
   * `Infinity` for as long as the tool runs. Default: 300 000 (5 minutes).
   */
  readonly abandonedMs?: number;
  /**
   * Whether the calls run in other processes, those of `longwire worker`, and not in this one. It needs
   * the option `cluster: redis(url)`, and BullMQ. Default: `false`.
   */
  readonly worker?: boolean;
}

/**
 * Queues by name of a tool, or by a pattern such as `render_*`. The tools that a pattern matches share
 * its queue. A tool has one queue at most: the one of its name, or else of the pattern with the most
 * characters beside `*`. Default: none.
 */
export type QueuesOptions = Readonly<Record<string, QueueOptions>>;

/** A queue's options, checked and filled in. */
export interface ResolvedQueueOptions {
  readonly limits: QueueLimits;
  readonly abandonedMs: number;
}

const NAMES = ['concurrency', 'maxQueued', 'timeoutMs', 'perPrincipal', 'abandonedMs', 'worker'];

/**
 * Checks the option `queues`.
 *
 * @throws TypeError that names what is wrong.
 */
export function resolveQueues(
  options: QueuesOptions = {},
): Readonly<Record<string, ResolvedQueueOptions>> {
  return Object.fromEntries(
    Object.entries(checkObject('queues', options)).map(([tool, given]) => {
      const name = `queues[${JSON.stringify(tool)}]`;
      const queue = checkNames(name, given, NAMES);
      const {
        concurrency,
        maxQueued = 100,
        timeoutMs = 300_000,
        perPrincipal = Infinity,
        abandonedMs = 300_000,
        worker,
      } = queue;
      const limits: QueueLimits = {
        concurrency: checkCount(`${name}.concurrency`, concurrency),
        maxQueued: checkCountOrAny(`${name}.maxQueued`, maxQueued, 0),
        timeoutMs: checkDurationMs(`${name}.timeoutMs`, timeoutMs),
        perPrincipal: checkCountOrAny(`${name}.perPrincipal`, perPrincipal),
        worker: checkFlag(`${name}.worker`, worker),
      };
      return [tool, { limits, abandonedMs: checkDurationMs(`${name}.abandonedMs`, abandonedMs) }];
    }),
  );
}
