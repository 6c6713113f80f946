import type { WorkerCallOptions } from '@longwire/server';

/** Where a worker logs: a logger of pino, or of an application of Fastify. */
export type WorkerLog = WorkerCallOptions['log'];

/** A log that nobody reads. */
export function silentLog(): WorkerLog {
  const nothing = (): void => {};
  const log: WorkerLog = {
    level: 'silent',
    silent: nothing,
    fatal: nothing,
    error: nothing,
    warn: nothing,
    info: nothing,
    debug: nothing,
    trace: nothing,
    child: () => log,
  };
  return log;
}
