import type { ClientEvents, ClientOptions } from '../client/types.js';
import type { LongwireError } from '../errors.js';
import type { BreakerOptions, BreakerStatus } from '../health/breaker.js';

/** Options of a pool: its own, and those of each of its connections. */
export interface PoolOptions extends Omit<ClientOptions, 'keepAlive'> {
  /**
   * How many connections there may be at a time, to all targets together; each principal may have as many
   * of its own. Default 4.
   */
  size?: number;
  /**
   * How many calls may run on one connection at a time. One connection can carry many calls, and a
   * client is enough for that: a pool is for servers that answer the calls of a connection one after
   * the other. Default 1.
   */
  maxPerConnection?: number;
  /** How many calls may wait for a connection; more fail with `queue-full`. Default 1 000. */
  maxQueued?: number;
  /**
   * How long a connection may be idle until it is closed, in milliseconds. 0: as soon as the
   * program, told of the last result, has asked for nothing else in the same turn. `Infinity`:
   * never. Default 60 000.
   */
  idleMs?: number;
  /** With `false` a connection is closed as soon as it is idle, as with `idleMs: 0`. Default `true`. */
  keepAlive?: boolean;
  /**
   * How long a target is ejected that cannot be reached, in milliseconds. Then a call tries it. Each
   * time that this fails too, it is ejected for twice as long, at most for 5 minutes. Default 10 000.
   */
  ejectMs?: number;
  /**
   * Opens after failures in a row: then calls fail at once, certainly not sent, and so do those that
   * wait. Failures are counted as the program meets them, after all targets were tried. `openMs` later
   * one call tries the servers. What the program or a tool causes is no failure. Default `false`.
   */
  breaker?: BreakerOptions | false;
}

/** One target of a pool, as it is now. */
export interface PoolTargetStatus {
  /** A URL without its query, or the name of a command. */
  target: string;
  /** Connections with a call under way. */
  busy: number;
  /** Connections without one. */
  idle: number;
  /** Calls under way. */
  inFlight: number;
  /**
   * Connections that could not be made, or were lost and did not come back, since the beginning; those of
   * principals included, but for refused credentials.
   */
  failed: number;
  /** For how long it is left out yet, in milliseconds; 0 if it is not. */
  ejectedMs: number;
  /** Why the latest of those connections failed. */
  lastError?: LongwireError;
}

/** What a pool does now. */
export interface PoolStatus {
  /** Calls that wait for a connection. */
  waiting: number;
  /** In the order in which they were given. */
  targets: PoolTargetStatus[];
  /** Its circuit breaker, if it has one. */
  breaker: BreakerStatus | undefined;
}

/** What a pool reports, by event name. */
export interface PoolEvents extends ClientEvents {
  /** The state of its circuit breaker changed. */
  breaker: BreakerStatus;
}
