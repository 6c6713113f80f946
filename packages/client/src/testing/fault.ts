import { checkDuration, checkNumber, checkWord } from './option-checks.js';
import type { ResolvedFaultOptions } from './options.js';
import type { Random } from './random.js';

/** Which way bytes go through the proxy. */
export type Direction = 'to-target' | 'to-client';

/** Both directions. */
export const DIRECTIONS: readonly Direction[] = ['to-target', 'to-client'];

/**
 * What can go wrong:
 *
 * - `reset`: both sides of the connection are reset (RST). Node may take it for an end if it comes
 *   right behind data.
 * - `finish`: both sides of the connection are ended properly (FIN), wherever in a message.
 * - `half-close`: one direction ends (FIN), and the other goes on.
 * - `stall`: the connection stays open on both sides and nothing passes any more.
 * - `delay`: nothing passes for a while, and then all of it does.
 * - `refuse`: new connections are refused for a while; those that are open go on.
 */
export type FaultKind = 'reset' | 'finish' | 'half-close' | 'stall' | 'delay' | 'refuse';

/** Every kind of fault. */
export const FAULT_KINDS: readonly FaultKind[] = [
  'reset',
  'finish',
  'half-close',
  'stall',
  'delay',
  'refuse',
];

/** One fault of one connection. */
export interface Fault {
  kind: FaultKind;
  /** The direction that a `half-close` ends, and that a `stall` or a `delay` holds. */
  direction: Direction;
  /** It strikes when this many more bytes have passed; 0 is now. */
  afterBytes: number;
  /** Which bytes are counted. Default: those that pass in `direction`. */
  countIn?: Direction | 'both';
  /** Whether a `stall` or a `delay` holds the other direction too. Default no. */
  bothWays?: boolean;
  /** How long a `delay` or a `refuse` lasts, in milliseconds. Default 0. */
  durationMs?: number;
}

/**
 * Checks a fault that somebody made up.
 *
 * @throws TypeError that names what is wrong with it.
 */
export function checkFault(fault: Fault): void {
  const { kind, direction, afterBytes, countIn = direction, durationMs = 0 } = fault;
  checkWord('kind', kind, FAULT_KINDS);
  checkWord('direction', direction, DIRECTIONS);
  checkWord('countIn', countIn, [...DIRECTIONS, 'both']);
  checkNumber('afterBytes', afterBytes, 0);
  if (!Number.isInteger(afterBytes)) throw new TypeError('afterBytes: must be a whole number');
  // Only what is refused can be taken up again by hand.
  if (kind !== 'refuse' || durationMs !== Infinity) checkDuration('durationMs', durationMs);
}

/** Draws a fault that strikes somewhere within the given number of bytes. */
export function drawFault(
  random: Random,
  { weights, delayMs, refuseMs }: ResolvedFaultOptions,
  withinBytes: number,
): Fault {
  // All is drawn whatever the kind turns out to be, so that decisions stay comparable.
  const kind = drawKind(random, weights);
  const direction = random.chance(0.5) ? 'to-client' : 'to-target';
  const afterBytes = random.below(withinBytes + 1);
  const bothWays = random.chance(0.5);
  const share = random.next();
  const fault: Fault = { kind, direction, afterBytes };
  if (kind === 'stall' || kind === 'delay') fault.bothWays = bothWays;
  if (kind === 'delay') fault.durationMs = Math.ceil(share * delayMs);
  if (kind === 'refuse') fault.durationMs = Math.ceil(share * refuseMs);
  return fault;
}

function drawKind(random: Random, weights: Record<FaultKind, number>): FaultKind {
  let left = random.next() * FAULT_KINDS.reduce((sum, kind) => sum + weights[kind], 0);
  let drawn: FaultKind = 'reset';
  for (const kind of FAULT_KINDS) {
    if (weights[kind] === 0) continue;
    drawn = kind;
    left -= weights[kind];
    if (left < 0) break;
  }
  return drawn;
}
