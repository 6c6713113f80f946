import {
  checkGroup,
  checkOptionNames,
  checkPositive,
  CONNECTION_OPTION_NAMES,
} from '../connection/options.js';
import type { CallToolOptions, ClientOptions } from './types.js';

/** The names of a client's options. */
export const CLIENT_OPTION_NAMES: readonly string[] = [
  ...CONNECTION_OPTION_NAMES,
  'name',
  'clientInfo',
  'handlers',
  'keepAlive',
  'trusted',
];

const OPERATION_OPTION_NAMES: readonly string[] = [
  'signal',
  'timeoutMs',
  'deadlineMs',
  'headers',
  'onProgress',
  'idempotent',
];

/**
 * Checks a client's own options; those of its connection are checked there.
 *
 * @throws TypeError that names the option.
 */
export function checkClientOptions(options: ClientOptions): void {
  checkOptionNames(options, CLIENT_OPTION_NAMES);
  if (options.name !== undefined && (typeof options.name !== 'string' || options.name === '')) {
    throw new TypeError('name: not a string with something in it');
  }
  if (options.keepAlive !== undefined && typeof options.keepAlive !== 'boolean') {
    throw new TypeError('keepAlive: neither true nor false');
  }
  if (options.trusted !== undefined && typeof options.trusted !== 'boolean') {
    throw new TypeError('trusted: neither true nor false');
  }
  checkGroup('handlers', options.handlers, ['roots', 'sampling', 'elicitation']);
  for (const [name, handler] of Object.entries(options.handlers ?? {})) {
    if (handler !== undefined && typeof handler !== 'function') {
      throw new TypeError(`handlers.${name}: not a function`);
    }
  }
}

/**
 * Checks the options of one operation.
 *
 * @throws TypeError that names the option.
 */
export function checkOperationOptions(options: CallToolOptions): void {
  if (typeof options !== 'object' || options === null)
    throw new TypeError('options: not an object');
  checkOptionNames(options, OPERATION_OPTION_NAMES);
  const { timeoutMs, deadlineMs, idempotent, signal, onProgress } = options;
  checkPositive('timeoutMs', timeoutMs);
  checkPositive('deadlineMs', deadlineMs);
  if (idempotent !== undefined && typeof idempotent !== 'boolean') {
    throw new TypeError('idempotent: neither true nor false');
  }
  if (signal !== undefined && typeof signal?.addEventListener !== 'function') {
    throw new TypeError('signal: not an AbortSignal');
  }
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw new TypeError('onProgress: not a function');
  }
}
