import { INTERNAL_ERROR } from '@modelcontextprotocol/server';
import { AsyncLocalStorage } from 'node:async_hooks';
import type { FastifyBaseLogger } from 'fastify';
import type { Call, CallGate } from '../calls/call.js';
import type { Refusal } from '../refusal.js';

/** What its client is told. Where it was thrown is in the log. */
const UNCAUGHT: Refusal = {
  status: 500,
  code: INTERNAL_ERROR,
  message: 'The call failed: the log of the server says why',
};

/**
 * What is known of a call wherever its code runs. A timer or a socket that it leaves behind may keep this
 * for ever, so that it holds nothing of the call itself once that is answered.
 */
interface RunningCall {
  readonly log: FastifyBaseLogger;
  /** Answers it; `undefined` once it is answered. */
  refuse: ((refusal: Refusal) => void) | undefined;
}

const running = new AsyncLocalStorage<RunningCall>();

/** How many servers are served: the handler of the process is theirs together. */
let servers = 0;

/**
 * Answers calls whose code throws where nobody waits for it, such as in a timer, in a listener or in a
 * promise that nobody handles. Without this, such an error of one tool ends the process, and with it the
 * sessions of everybody. It is for those who own the process, as signals are.
 *
 * - Each call is run in an asynchronous context of its own, which says to which call an error belongs.
 *   It belongs to the call that started what threw: also long after that call was answered, and also where
 *   a connection is shared that this call happened to open.
 * - Such an error is logged with its stack. The call is answered with an internal error, if it still runs.
 * - Any other error does what it does without this. So does one that another listener of
 *   `uncaughtException` or `unhandledRejection` takes: it is told of all.
 *
 * @returns the gate that each call passes, and what takes the handler away.
 */
export function answerUncaughtErrors(): { readonly gate: CallGate; remove(): void } {
  const calls = new WeakMap<Call, RunningCall>();
  const gate: CallGate = {
    around(call, deliver, refuse) {
      const entry: RunningCall = { log: call.log, refuse };
      calls.set(call, entry);
      running.run(entry, deliver);
    },
    leave(call) {
      const entry = calls.get(call);
      if (entry !== undefined) entry.refuse = undefined;
    },
  };
  if (servers++ === 0) process.on('uncaughtExceptionMonitor', answer);
  let isRemoved = false;
  const remove = (): void => {
    if (isRemoved) return;
    isRemoved = true;
    if (--servers > 0) return;
    process.off('uncaughtExceptionMonitor', answer);
    // In older versions of Node, every promise of the process costs something for as long as it is used.
    running.disable();
  };
  return { gate, remove };
}

/**
 * Told of every error before Node decides what to do: also of rejections, which are errors by default. A
 * listener of `uncaughtException` takes an error. So there is one for errors of calls only, and all others
 * are printed and end the process as if this file did not exist.
 */
function answer(error: Error, origin: NodeJS.UncaughtExceptionOrigin): void {
  const call = running.getStore();
  if (call === undefined) return;
  if (!process.hasUncaughtExceptionCaptureCallback()) {
    process.prependOnceListener('uncaughtException', () => {});
  }
  const { log, refuse } = call;
  call.refuse = undefined;
  // What this throws would end the process, and an error may be anything.
  try {
    log.error({ err: error, origin }, 'a call threw an error that nobody caught');
  } catch {
    log.error({ origin }, 'a call threw an error that nobody caught, and that cannot be read');
  }
  try {
    refuse?.(UNCAUGHT);
  } catch (failure) {
    log.error(failure, 'a call that failed could not be answered');
  }
}
