import type { CallWorkers, WorkerAnswer } from '@longwire/server';

type RpcError = Extract<WorkerAnswer, { error: unknown }>['error'];

const INTERNAL_ERROR = -32_603;
const SERVER_ERROR = -32_000;

/** The worker died, or Redis has lost the call. */
export const WORKER_LOST: RpcError = {
  code: INTERNAL_ERROR,
  message: 'The worker of the call was lost: a part of it may have run',
  data: { reason: 'worker-lost', certainty: 'outcome-unknown' },
};

/** The worker cannot read the call. */
export const UNREADABLE: RpcError = {
  code: SERVER_ERROR,
  message:
    'The worker could not read the call, and it did not run: give workers the same encrypt.keys and the same version as the nodes',
  data: { reason: 'unreadable', certainty: 'refused' },
};

/** Its node was gone for a lease; one that comes back later reads this. */
export const UNWANTED: RpcError = {
  code: SERVER_ERROR,
  message: 'The node of the call was gone before a worker began it, and it did not run',
  data: { reason: 'node-lost', certainty: 'refused' },
};

/** Nobody reads it: a cancelled call has no answer. */
export const CANCELLED: RpcError = { code: SERVER_ERROR, message: 'The call was cancelled' };

/** It had its slot, and its worker went away. */
export function notTaken({
  queue,
  limits,
}: Pick<Parameters<CallWorkers['run']>[0], 'queue' | 'limits'>): RpcError {
  return {
    code: SERVER_ERROR,
    message: `No worker took the call of ${queue} within ${limits.timeoutMs} ms (timeoutMs), and it did not run`,
    data: { reason: 'no-worker', queue },
  };
}
