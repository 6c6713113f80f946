import type { Call, CallObserver } from '../client/call.js';
import type { LongwireClient } from '../client/contract.js';
import type { Idle } from '../client/idle.js';
import { ServiceClient } from '../client/service-client.js';
import { parseTarget, type TargetOption } from '../dial/target.js';
import type { LongwireError } from '../errors.js';
import { displayUrl } from '../http/display-url.js';
import { Ejection } from './ejection.js';
import type { ResolvedPoolOptions } from './options.js';
import type { PoolTargetStatus } from './types.js';

/** One call of the program, and what the pool knows of it. */
export class PoolCall implements CallObserver {
  /** For messages: `the call of echo`. */
  readonly what: string;
  readonly madeAt: number = performance.now();
  /** The targets that it could not reach. */
  readonly tried: Set<PoolTarget> = new Set();
  /** It was withdrawn from its connection, for another one. */
  isWithdrawn = false;
  /** What it failed with on the connection before, on which it certainly was not sent. */
  failure: LongwireError | undefined;
  /** It must not be made, on no connection, for this reason. */
  refusal: LongwireError | undefined;
  /** How often it has failed on a connection on which it certainly was not sent. */
  failures = 0;
  #call: Call | undefined;
  #onDeferred: ((error: LongwireError) => void) | undefined;

  constructor(what: string) {
    this.what = what;
  }

  /** It goes to a connection now. `onDeferred` is called when it cannot be sent there yet. */
  assign(onDeferred: (error: LongwireError) => void): void {
    this.isWithdrawn = false;
    this.#call = undefined;
    this.#onDeferred = onDeferred;
  }

  onBegin(call: Call): void {
    this.#call = call;
  }

  onDeferred(error: LongwireError): void {
    this.#onDeferred?.(error);
  }

  /** A server has made a task of it, which is followed on its connection. */
  get isTask(): boolean {
    return this.#call?.taskId !== undefined;
  }

  /** Fails it, if it certainly has not run on its connection. */
  refuse(error: LongwireError): void {
    if (this.#call?.withdraw(error) === true) this.refusal = error;
  }

  /** Ends it on its connection, if it certainly has not run there; true if it has ended. */
  withdraw(): boolean {
    if (this.#call?.withdraw() !== true) return false;
    this.isWithdrawn = true;
    return true;
  }
}

/** The client of one connection. */
export type PooledClient = Omit<LongwireClient, 'as'>;

/** One connection of a pool. */
export interface PooledConnection {
  readonly target: PoolTarget;
  readonly client: PooledClient;
  /** The calls that were given to it. */
  readonly calls: Set<PoolCall>;
  readonly idle: Idle;
  /** When it was last given a call; counted, not timed. */
  usedAt: number;
  /** Its handshake has succeeded. */
  wasReady: boolean;
  /** It no longer belongs to the pool. */
  isRemoved: boolean;
}

/** What is known of a target, whoever its connections are for. */
export interface KnownTarget {
  readonly option: TargetOption;
  /** What it is called until its server says its name. */
  readonly name: string;
  /** What it is called in a status. */
  readonly label: string;
  /** Makes the sessions of principals; it is never connected itself. */
  readonly service: ServiceClient;
  /** After failures of the server. */
  readonly ejection: Ejection;
  /** The handshake of a connection to it has succeeded. */
  wasReached: boolean;
  failed: number;
  lastError?: LongwireError;
}

/** One target, for the pool itself or for one principal. */
export interface PoolTarget {
  readonly known: KnownTarget;
  /** Also after failures that are none of the server, such as credentials that it refuses. */
  readonly ejection: Ejection;
  readonly connections: Set<PooledConnection>;
  /** When it was last given a call; counted, not timed. */
  usedAt: number;
}

/**
 * The targets of a pool.
 *
 * @throws TypeError for a target or an option that is wrong.
 */
export function knownTargets(
  targets: readonly TargetOption[],
  { client, ejectMs }: ResolvedPoolOptions,
): KnownTarget[] {
  return targets.map((option) => {
    const service = new ServiceClient(option, client);
    const parsed = parseTarget(option);
    return {
      option,
      name: service.name,
      label: parsed.kind === 'url' ? displayUrl(parsed.url) : parsed.name,
      service,
      ejection: new Ejection(ejectMs),
      wasReached: false,
      failed: 0,
    };
  });
}

/** A target without connections. Without an ejection of its own, it has that which all share. */
export function unusedTarget(known: KnownTarget, ejection: Ejection = known.ejection): PoolTarget {
  return { known, ejection, connections: new Set(), usedAt: 0 };
}

/** Requests are sent on it at once, or as soon as it has been dialled for the first time. */
export function isSteady({ client: { state } }: PooledConnection): boolean {
  if (state.name === 'connecting') return state.attempt === 1 && !state.known;
  return state.name === 'ready' || state.name === 'idle';
}

/** How many calls a target has now. */
export function inFlightOf({ connections }: PoolTarget): number {
  let inFlight = 0;
  for (const { calls } of connections) inFlight += calls.size;
  return inFlight;
}

/** A target as it is now, for the program. */
export function statusOf(target: PoolTarget, now: number): PoolTargetStatus {
  const { connections, ejection } = target;
  const { label, failed, lastError } = target.known;
  const busy = [...connections].filter(({ calls }) => calls.size > 0).length;
  return {
    target: label,
    busy,
    idle: connections.size - busy,
    inFlight: inFlightOf(target),
    failed,
    ejectedMs: Math.ceil(ejection.leftMs(now)),
    ...(lastError !== undefined && { lastError }),
  };
}
