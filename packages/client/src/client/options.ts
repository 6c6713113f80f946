import { CALL, CLIENT } from '../options/client-table.js';
import type { Timeouts } from '../options/connection-options.js';
import { TIMEOUTS } from '../options/connection-table.js';
import { checkOptions, withDefaults } from '../options/option.js';
import type { CallTimeouts, CallToolOptions, ClientOptions } from './types.js';

/**
 * Checks the options of a client, those of its connection too.
 *
 * @throws TypeError that names the option.
 */
export function checkClientOptions(options: ClientOptions): void {
  checkOptions(options, CLIENT);
}

/** How long the calls of a client may take that say nothing of it. */
export function callTimeouts(given: Timeouts | undefined): CallTimeouts {
  const { callMs, deadlineMs } = withDefaults(TIMEOUTS, given);
  return { callMs, deadlineMs };
}

/**
 * Checks the options of one operation.
 *
 * @throws TypeError that names the option.
 */
export function checkOperationOptions(options: CallToolOptions): void {
  checkOptions(options, CALL);
}
