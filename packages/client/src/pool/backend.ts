import type { Ticket } from '../client/call.js';
import type { LongwireClient } from '../client/client.js';
import type { Idle } from '../client/idle.js';
import type { LongwireError } from '../errors.js';
import type { TargetOption } from '../target/target.js';
import type { LeaveOut } from './leave-out.js';
import type { PoolTargetStatus } from './types.js';

/** One call of the program, on its way through the pool. */
export interface PoolTicket extends Ticket {
  /** For messages: `the call of echo`. */
  readonly what: string;
  /** The targets that it could not reach. */
  readonly tried: Set<Backend>;
  /** It was taken from its connection, for another. */
  isWithdrawn?: boolean;
  /** What it failed with on the connection before, on which it certainly was not sent. */
  failure?: LongwireError | undefined;
}

/** One connection of a pool. */
export interface Member {
  readonly backend: Backend;
  readonly client: LongwireClient;
  /** The calls that were given to it. */
  readonly tickets: Set<PoolTicket>;
  readonly idle: Idle;
  /** When it was last given a call; counted, not timed. */
  usedAt: number;
  /** It has shaken hands. */
  wasReady: boolean;
  /** It belongs to the pool no more. */
  isOut: boolean;
}

/** One target of a pool. */
export interface Backend {
  readonly target: TargetOption;
  /** What it is called as long as it has not said its name. */
  readonly name: string;
  /** What it is called in a status. */
  readonly label: string;
  readonly leaveOut: LeaveOut;
  readonly members: Set<Member>;
  /** When it was last given a call; counted, not timed. */
  usedAt: number;
  /** A connection to it has shaken hands. */
  wasReached: boolean;
  failed: number;
  lastError?: LongwireError;
}

/** Requests go out on it at once, or as soon as it has been dialled for the first time. */
export function isSteady({ client: { state } }: Member): boolean {
  if (state.name === 'connecting') return state.attempt === 1 && !state.known;
  return state.name === 'ready' || state.name === 'idle';
}

/** How many calls a target has now. */
export function inFlightOf({ members }: Backend): number {
  let calls = 0;
  for (const { tickets } of members) calls += tickets.size;
  return calls;
}

/** A target as it is now, for the program. */
export function statusOf(backend: Backend, now: number): PoolTargetStatus {
  const { label, members, failed, leaveOut, lastError } = backend;
  const busy = [...members].filter(({ tickets }) => tickets.size > 0).length;
  return {
    target: label,
    busy,
    idle: members.size - busy,
    inFlight: inFlightOf(backend),
    failed,
    leftOutMs: Math.ceil(leaveOut.leftMs(now)),
    ...(lastError !== undefined && { lastError }),
  };
}
