import type { OperationOptions, PrincipalOption, ToolSource, WhenAway } from '@longwire/client';
import { checkWhenAway, isObject, sourceAs } from '@longwire/client/internal';
import { checkNames } from './option-names.js';

/** How, and for whom, a tool is called, or a list of tools is fetched. */
export interface CallOptions {
  /**
   * Idle time in milliseconds, started anew by every progress notification. `Infinity` for no
   * limit. Default: the source's, 60 000.
   */
  timeoutMs?: number;
  /**
   * Hard cap in milliseconds, progress or not. `Infinity` for no limit. Default: the source's,
   * 3 600 000.
   */
  deadlineMs?: number;
  /**
   * What a call does while its server is away: `wait`, `fail`, or `{ waitMs }`. Claude is told of a call
   * that fails. Default: the source's, `wait`.
   */
  whenAway?: WhenAway;
  /** Headers of its requests alone, over the client's own of the same name. Default: none. */
  headers?: Readonly<Record<string, string>>;
  /**
   * For whom: `{ id, headers, token }`, as `client.as(id, { headers, token })`. The source must have `as`.
   * Default: for nobody but the client.
   */
  principal?: PrincipalOption;
}

/** What call options are asked for. */
export interface CallToPrepare {
  /** The name of the source. */
  server: string;
  /** The tool's name on its server; `undefined` for the list of tools. */
  tool: string | undefined;
  /** What Claude calls it with; of a list `{}`. */
  arguments: Record<string, unknown>;
}

/**
 * Gives the options of each call, before anybody is asked to approve it, and of each fetch of a list, which
 * is kept until its server says that it changed.
 */
export type CallOptionsFor = (call: CallToPrepare) => CallOptions | Promise<CallOptions>;

const limitNames = ['timeoutMs', 'deadlineMs'] as const;
const names: readonly (keyof CallOptions)[] = [...limitNames, 'whenAway', 'headers', 'principal'];

/**
 * Checks call options, or the answers of a function that gives them.
 *
 * @throws TypeError that names the option that is wrong, also for a source that knows no principals.
 */
export function resolveCallOptions(
  given: unknown,
  { sources }: { sources: readonly ToolSource[] },
): CallOptionsFor {
  if (typeof given === 'function') {
    return async (call) => checkCallOptions(await (given as CallOptionsFor)(call));
  }
  const checked = checkCallOptions(given);
  for (const source of sources) viewFor(source, checked);
  return () => checked;
}

/**
 * The source as the principal of call options, and the other options.
 *
 * @throws TypeError for a source that knows no principals.
 */
export function viewFor(
  source: ToolSource,
  { principal, ...options }: CallOptions,
): { view: ToolSource; options: OperationOptions } {
  return { view: principal === undefined ? source : sourceAs(source, principal), options };
}

/** A copy, so that what was checked is what is used. */
function checkCallOptions(given: unknown = {}): CallOptions {
  if (!isObject(given)) throw new TypeError('callOptions must be an object');
  checkNames(given, names, 'callOptions.');
  const { whenAway, headers, principal } = given as CallOptions;
  checkWhenAway('callOptions.whenAway', whenAway);
  if (headers !== undefined && !isObject(headers)) {
    throw new TypeError('callOptions.headers must be an object of names and values');
  }
  if (principal !== undefined && !isObject(principal)) {
    throw new TypeError('callOptions.principal must be an object: { id, headers, token }');
  }
  const resolved: CallOptions = {
    ...(whenAway !== undefined && { whenAway }),
    ...(headers !== undefined && { headers: { ...headers } }),
    ...(principal !== undefined && { principal: { ...principal } }),
  };
  for (const name of limitNames) {
    const value = given[name];
    if (value === undefined) continue;
    if (typeof value !== 'number' || !(value > 0)) {
      throw new TypeError(`callOptions.${name} must be a number above 0`);
    }
    resolved[name] = value;
  }
  return resolved;
}
