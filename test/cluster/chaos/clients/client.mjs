/**
 * A client of the trials.
 *
 * @typedef {object} TrialClient
 * @property {(call: import('../calls.mjs').Call) => Promise<import('../calls.mjs').Outcome>} call
 *   always fulfilled
 * @property {() => Promise<unknown>} close
 */

/**
 * What a client is told, and tells.
 *
 * @typedef {object} ClientContext
 * @property {string} origin of the proxy
 * @property {string} name
 * @property {() => void} onRetry something was sent again
 * @property {(what: string) => void} onBreach what must not happen
 * @property {AbortSignal} signal
 */

/** @typedef {(context: ClientContext) => Promise<TrialClient>} OpenClient */

/** How long a client waits for one call, in milliseconds: what takes longer hangs. */
export const CALL_MS = 60_000;

export const IDENTITY = { name: 'trial', version: '1.0.0' };
