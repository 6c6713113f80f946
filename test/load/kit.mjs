import { serve } from '@longwire/server';

/**
 * What the trial sets of the kit's options. Sizes and durations have their units in their names.
 *
 * @typedef {object} KitOptions
 * @property {number} heartbeatMs
 * @property {number} sessionIdleMs
 * @property {number} resumeMs
 * @property {number} maxSessions
 * @property {number} maxBufferedBytes
 */

/**
 * Serves with the kit. All clients of the trial are on this machine.
 *
 * @param {import('@longwire/server').ServerFactory} create
 * @param {KitOptions} options
 */
export function startKit(create, options) {
  return serve({ create, ...options, maxSessionsPerAddress: Infinity });
}
