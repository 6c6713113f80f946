import { checkOptionNames, checkPositive } from '../options/checks.js';
import { CALL, CLIENT } from '../options/client-table.js';
import type { Timeouts } from '../options/connection-options.js';
import { TIMEOUTS } from '../options/connection-table.js';
import { checkOptions, withDefaults } from '../options/option.js';
import { checkPrincipalOption, type PrincipalCredentials } from '../options/principal-options.js';
import type {
  CallTimeouts,
  CallToolOptions,
  ClientOptions,
  WhenAway,
  OperationOptions,
} from './types.js';

/**
 * Checks the options of a client, those of its connection too.
 *
 * @throws TypeError that names the option.
 */
export function checkClientOptions(options: ClientOptions): void {
  checkOptions(options, CLIENT);
  checkWhenAway('whenAway', options.whenAway);
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
  checkWhenAway('whenAway', options.whenAway);
  checkPrincipalOption(options.principal);
}

/**
 * Checks what a call is to do while its server is away. `name` is the option.
 *
 * @throws TypeError that names it.
 */
export function checkWhenAway(name: string, given: unknown): asserts given is WhenAway | undefined {
  if (given === undefined || given === 'wait' || given === 'fail') return;
  if (typeof given !== 'object' || given === null) {
    throw new TypeError(`${name}: ${JSON.stringify(given)} is none of wait, fail, { waitMs }`);
  }
  checkOptionNames(given, ['waitMs'], `${name}.`);
  const { waitMs } = given as { waitMs?: unknown };
  if (waitMs === undefined) throw new TypeError(`${name}.waitMs: is missing`);
  checkPositive(`${name}.waitMs`, waitMs);
}

/**
 * The options of an operation of a principal's view, without the principal: credentials that are given
 * with it hold from now on.
 *
 * @throws TypeError that names the option, or says that this is another principal.
 */
export function optionsOfView<Options extends OperationOptions>(
  given: Options,
  view: { as(principal: string, credentials: PrincipalCredentials): unknown },
): Options {
  checkOperationOptions(given);
  const { principal, ...options } = given;
  if (principal !== undefined) {
    const { id, ...credentials } = principal;
    view.as(id, credentials);
  }
  return options as Options;
}
