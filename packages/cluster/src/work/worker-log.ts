import type { WorkerCallOptions } from '@longwire/server';

/** Where a worker says what fails: a logger of pino will do. */
export type WorkerLog = WorkerCallOptions['log'];

const nothing = (): void => {};

/** A log that nobody reads. */
export const SILENT: WorkerLog = { error: nothing, warn: nothing, debug: nothing };
