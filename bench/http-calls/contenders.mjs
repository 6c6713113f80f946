import { contendersIn, LONGWIRE } from '../calls/contender.mjs';

/** @typedef {import('../calls/contender.mjs').Contender} Contender */
/** @typedef {import('./variants.mjs').Variant} Variant */

export { LONGWIRE };

const contender = contendersIn(import.meta.url);

/** The official client, which the targets are about. */
export const OFFICIAL = contender('sdk-2', 'SDK 2.x');

/**
 * The floor of every ratio. It finds nothing out, and is told how the server talks.
 *
 * @param {Variant} variant
 * @returns {Contender}
 */
export const bareLoopFor = ({ version, answers }) =>
  contender('bare-loop', 'bare loop', `bare-loop.mjs?version=${version}&answers=${answers}`);
