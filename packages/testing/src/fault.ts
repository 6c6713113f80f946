import { checkDuration, checkNumber, checkWord } from './option-checks.js';
import type { Random } from './random.js';

/** A direction through the proxy. */
export type Direction = 'to-target' | 'to-client';

/** Both directions. */
export const DIRECTIONS: readonly Direction[] = ['to-target', 'to-client'];

/**
 * What can go wrong:
 *
 * - `reset`: both sides of the connection are reset (RST). Right after data, Node may report an end.
 * - `finish`: both sides of the connection end properly (FIN), anywhere in a message.
 * - `half-close`: one direction ends (FIN), and the other stays open.
 * - `stall`: the connection stays open on both sides, and no more bytes pass.
 * - `delay`: no bytes pass for a while, and then all of them do.
 * - `refuse`: new connections are refused for a while; open ones stay open.
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
  /** The direction that a `half-close` ends, and that a `stall` or a `delay` blocks. */
  direction: Direction;
  /** It happens after so many more bytes; 0 is now. */
  afterBytes: number;
  /** The direction whose bytes are counted. Default: `direction`. */
  countIn?: Direction | 'both';
  /** Whether a `stall` or a `delay` blocks the other direction, too. Default no. */
  bothWays?: boolean;
  /** How long a `delay` or a `refuse` lasts, in milliseconds. Default 0. */
  durationMs?: number;
  /**
   * A JSON-RPC method, such as `tasks/get`. The bytes are counted from the next request of this method,
   * on whichever connection it comes: `to-target` with 0 bytes, the request is never whole at the target;
   * `to-client` with 0 bytes, the target has it, and no byte of its answer passes. Default: they are
   * counted from now on. A client that compresses what it sends, or encrypts it, cannot be read.
   */
  method?: string;
}

/**
 * Checks a fault of a program.
 *
 * @throws TypeError that names the wrong property.
 */
export function checkFault(fault: Fault): void {
  const { kind, direction, afterBytes, countIn = direction, durationMs = 0 } = fault;
  checkWord('kind', kind, FAULT_KINDS);
  checkWord('direction', direction, DIRECTIONS);
  checkWord('countIn', countIn, [...DIRECTIONS, 'both']);
  checkNumber('afterBytes', afterBytes, 0);
  if (!Number.isInteger(afterBytes)) throw new TypeError('afterBytes: must be a whole number');
  // Only `resume()` can end an infinite fault, and it ends no other kind.
  if (kind !== 'refuse' || durationMs !== Infinity) checkDuration('durationMs', durationMs);
  const { method } = fault;
  if (method !== undefined && (typeof method !== 'string' || method === '')) {
    throw new TypeError('method: must be the name of a JSON-RPC method, such as tools/call');
  }
}

/** Which faults are drawn, and how long they last at most, in milliseconds. */
export interface FaultLimits {
  weights: Record<FaultKind, number>;
  delayMs: number;
  refuseMs: number;
}

/** Draws a fault that happens within the given number of bytes. */
export function drawFault(
  random: Random,
  { weights, delayMs, refuseMs }: FaultLimits,
  withinBytes: number,
): Fault {
  // Every number is drawn for every kind, so that the same seed gives comparable faults.
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
