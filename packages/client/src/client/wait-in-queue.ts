import type { LongwireError } from '../errors.js';
import type { Waiter, WaitQueue } from '../wait-queue.js';
import { Call, type SharedCallOptions } from './call.js';
import type { OperationOptions } from './types.js';

/** What an operation waits with, before it can begin. */
export interface WaitInQueueOptions<Options extends OperationOptions, Who> {
  queue: WaitQueue<true, Who>;
  waiter: Waiter<true, Who>;
  /** What is being done, for messages: `the call of echo`. */
  what: string;
  options: Options;
  shared: SharedCallOptions;
  /** Called when it was let in and does not come. */
  onLeft: () => void;
  /** Makes the error for an operation that timed out. */
  timedOut: (cause: LongwireError) => LongwireError;
}

/**
 * Waits in a queue within the limits of an operation, and gives the options that are left of it.
 *
 * @throws LongwireError `timeout`, `deadline`, `aborted`, or what the queue fails with; all `not-sent`.
 */
export async function waitInQueue<Options extends OperationOptions, Who>({
  queue,
  waiter,
  what,
  options,
  shared,
  onLeft,
  timedOut,
}: WaitInQueueOptions<Options, Who>): Promise<Options> {
  const startedAt = performance.now();
  const call = new Call(what, options, shared);
  try {
    await call.before(waiter.promise);
  } catch (error) {
    queue.leave(waiter);
    // It was let in at the same moment.
    if (waiter.value === true) onLeft();
    const { abandoned } = call;
    if (abandoned === undefined || abandoned.code === 'aborted') throw error;
    throw timedOut(abandoned);
  } finally {
    call.done();
  }
  const { deadlineMs = shared.timeouts.deadlineMs } = options;
  return { ...options, deadlineMs: Math.max(1, deadlineMs - (performance.now() - startedAt)) };
}
