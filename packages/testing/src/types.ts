/// <reference lib="esnext.disposable" preserve="true" />
import type { Direction, Fault, FaultKind } from './fault.js';

/** What a random fault is limited to. */
export interface RandomFaultOptions {
  /** It happens after at most so many more bytes, in both directions together. Default 0: now. */
  withinBytes?: number;
  /**
   * The probability that the oldest connection is chosen, which is often a stream among short requests;
   * otherwise each is as likely. From 0 to 1, default 0.
   */
  oldestShare?: number;
}

/**
 * A TCP proxy that fails as networks do. It never changes bytes, and reads no faster than the other
 * side takes them.
 */
export interface FaultyProxy extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`. */
  readonly origin: string;
  /** The port of 127.0.0.1 that it listens on. */
  readonly port: number;
  /** Every random decision follows from it: print it, and use it again to get the same faults. */
  readonly seed: number;
  /** How many faults have happened, by kind, without `cutAll`, `stallAll` and `refuse`. */
  readonly faults: Readonly<Record<FaultKind, number>>;
  /** How many faults have happened. */
  readonly faultCount: number;
  /** How many connections were accepted so far. */
  readonly acceptedConnections: number;
  /** Connections of which at least one side is open, stalled ones included. */
  readonly openConnections: number;
  /** Connections whose target could not be reached; they were reset. */
  readonly failedDials: number;
  /** Whether new connections are refused. */
  readonly isRefusing: boolean;
  /**
   * Injects a fault into a random connection. Connections that a fault has ended or stalled both ways,
   * or with a fault that has not happened yet, are not chosen. A `refuse` without `afterBytes` needs no
   * connection, but only if connections are not refused already. A fault with a `method` waits for the
   * next request of that method on any connection; several of them strike one request after the other.
   *
   * @returns whether it happened or will. It never happens if its connection ends before its byte.
   * @throws TypeError for a wrong fault.
   */
  injectFault(fault: Fault, options?: Pick<RandomFaultOptions, 'oldestShare'>): boolean;
  /** As `injectFault`, with a random fault. `undefined` if there is no connection for it. */
  injectRandomFault(options?: RandomFaultOptions): Fault | undefined;
  /**
   * Ends all connections, by default with RST. New ones are accepted.
   *
   * @throws TypeError for another way.
   */
  cutAll(how?: 'reset' | 'finish'): void;
  /**
   * Stalls every open connection, by default both ways. They stay open until the client ends its side;
   * until then it does not learn that the target has ended.
   *
   * @throws TypeError for another direction.
   */
  stallAll(direction?: Direction | 'both'): void;
  /**
   * Refuses new connections for so many milliseconds, at most 2 147 483 647; without a duration, or
   * with `Infinity`, until `resume()`.
   *
   * @throws TypeError for another duration.
   */
  refuse(durationMs?: number): void;
  /**
   * Accepts connections again, and ends all stalls. Fulfilled when the port is open.
   *
   * @throws Error if the system does not let it listen.
   */
  resume(): Promise<void>;
  /** Resets every connection and stops listening. Fulfilled when nothing is left open. */
  close(): Promise<void>;
}
