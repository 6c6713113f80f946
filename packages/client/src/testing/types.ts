/// <reference lib="esnext.disposable" preserve="true" />
import type { Direction, Fault, FaultKind } from './fault.js';

/** What a random fault is limited to. */
export interface RandomFaultOptions {
  /** It strikes when at most this many more bytes have passed, either way. Default 0: now. */
  withinBytes?: number;
  /**
   * The probability that the connection is the one that has been open longest, which among the
   * short ones of requests is a stream; else each is as likely. From 0 to 1, default 0.
   */
  oldestShare?: number;
}

/**
 * A TCP proxy that does to its connections what networks do. What it passes on it never changes;
 * it reads no faster than the other side takes it.
 */
export interface FaultyProxy extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`. */
  readonly origin: string;
  /** The port of 127.0.0.1 that it listens on. */
  readonly port: number;
  /** What everything random follows from: print it, and give it again to get the same. */
  readonly seed: number;
  /** How many faults have struck, by kind. What the controls below do all at once is not counted. */
  readonly faults: Readonly<Record<FaultKind, number>>;
  /** How many faults have struck. */
  readonly faultCount: number;
  /** Connections that were ever accepted. */
  readonly acceptedConnections: number;
  /** Connections of which at least one side is open, stalled ones included. */
  readonly openConnections: number;
  /** Connections whose target could not be reached; they were reset. */
  readonly failedDials: number;
  /** Whether new connections are refused. */
  readonly isRefusing: boolean;
  /**
   * Has a fault strike a connection that is chosen at random among those that no fault has ended,
   * stalled both ways or is waiting for. A `refuse` without `afterBytes` needs no connection, only
   * that none are refused already.
   *
   * @returns whether it struck or will; one that waits for its byte never strikes if the
   * connection ends before.
   * @throws TypeError for a fault that there cannot be.
   */
  injectFault(fault: Fault, options?: Pick<RandomFaultOptions, 'oldestShare'>): boolean;
  /** As `injectFault`, with a fault that is drawn at random. `undefined` if there is nothing to strike. */
  injectRandomFault(options?: RandomFaultOptions): Fault | undefined;
  /**
   * Ends all connections, by RST unless told otherwise. New ones are accepted.
   *
   * @throws TypeError for any other way.
   */
  cutAll(how?: 'reset' | 'finish'): void;
  /**
   * Lets nothing more pass on any open connection, both ways unless told otherwise. They stay open
   * until the client ends its side; until then it does not learn that the target has ended its own.
   *
   * @throws TypeError for what is no direction.
   */
  stallAll(direction?: Direction | 'both'): void;
  /**
   * Refuses new connections for this long in milliseconds, at most 2 147 483 647; without a
   * duration, or with `Infinity`, until `resume()`.
   *
   * @throws TypeError for any other duration.
   */
  refuse(durationMs?: number): void;
  /**
   * Accepts connections again, and lets pass what was stalled. Fulfilled when it does.
   *
   * @throws Error if the system does not let it listen.
   */
  resume(): Promise<void>;
  /** Resets every connection and stops listening. Fulfilled when nothing is left open. */
  close(): Promise<void>;
}
