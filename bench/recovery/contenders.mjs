import { BARE_LOOP, LONGWIRE, OFFICIAL } from '../sse-calls/contenders.mjs';

/** @typedef {import('../calls/contender.mjs').Contender} Contender */

/**
 * @param {number} firstDelayMs
 * @returns {Contender & { firstDelayMs: number }}
 */
const withFirstDelay = (firstDelayMs) => ({
  id: `longwire-${firstDelayMs}`,
  title: `Longwire, first delay ${firstDelayMs} ms`,
  module: new URL(`./contenders/longwire.mjs?firstDelayMs=${firstDelayMs}`, import.meta.url),
  firstDelayMs,
});

/**
 * Who is cut off: Longwire with its default delay and with a short one, and its peers. The bare loop
 * has no recovery.
 *
 * @type {readonly (Contender & { firstDelayMs?: number })[]}
 */
export const AFTER_CUT = [withFirstDelay(250), withFirstDelay(50), ...OFFICIAL];

/** Who makes many calls at once. */
export const IN_FLIGHT = [BARE_LOOP, LONGWIRE, ...OFFICIAL];

/** Who takes a large result. The bare loop looks through all that came with every packet. */
export const LARGE_RESULT = [LONGWIRE, ...OFFICIAL];
