import type { CallToolResult } from '@modelcontextprotocol/client';
import type { TrafficCounts } from '../http/traffic-counts.js';
import type { ConnectionState } from '../connection/state.js';
import { isToolError } from '../error-facts.js';
import { ERROR_CODES, LongwireError, type ErrorCode } from '../errors.js';
import { COARSE, FINE, Latencies } from './latencies.js';
import { isServerFailure, type OwnLimits } from './server-failure.js';
import type { ClientStats } from './stats.js';

/** How many of the latest calls are looked at. */
const RECENT_CALLS = 20;
const RECENT_MASK = 2 ** RECENT_CALLS - 1;

const NO_FAILURES = Object.fromEntries(
  Object.keys(ERROR_CODES).map((code) => [code, 0]),
) as Readonly<Record<ErrorCode, number>>;

/** The latest calls. */
export interface RecentCalls {
  /** At most 20. */
  calls: number;
  /** How many of these failed. An error that a tool itself reports does not count. */
  failed: number;
  /** When the latest of them failed, in milliseconds since 1970. */
  lastFailedAt: number;
}

/**
 * Counts the operations of a client and their ends, over all its connections. It is on the path of every
 * call: a call costs a few additions and one entry in a histogram.
 */
export class Tally {
  /** Answers dropped by connections that another has replaced. */
  droppedBefore = 0;
  readonly #counts: TrafficCounts;
  readonly #latencies: Latencies;
  readonly #all: Tally | undefined;
  readonly #failed: Record<ErrorCode, number> = { ...NO_FAILURES };
  #connectedAt = 0;
  #wasConnected = false;
  #reconnects = 0;
  /** When the connection was restored, the latest first; no more than three. */
  #reconnectedAt: number[] = [];
  #succeeded = 0;
  #toolErrors = 0;
  #inFlight = 0;
  #lastSuccessAt = 0;
  #lastError: ClientStats['lastError'];
  /** The latest calls, the latest in the lowest bit; 1 is one that failed. */
  #recent = 0;
  #recentCalls = 0;
  #lastFailedAt = 0;

  /** What happens to operations is counted by `all` as well: that of the client, for one of its principals. */
  constructor(counts: TrafficCounts, all?: Tally) {
    this.#counts = counts;
    this.#all = all;
    this.#latencies = new Latencies(all === undefined ? FINE : COARSE);
  }

  /** For how long there has been a connection, in milliseconds; 0 if there is none. */
  get uptimeMs(): number {
    return this.#connectedAt === 0 ? 0 : Math.max(0, Date.now() - this.#connectedAt);
  }

  /** When the connection was restored the last time but two, in milliseconds since 1970; 0: never. */
  get thirdLastReconnectAt(): number {
    return this.#reconnectedAt[2] ?? 0;
  }

  get recent(): RecentCalls {
    let failed = 0;
    for (let bits = this.#recent; bits > 0; bits >>>= 1) failed += bits & 1;
    return { calls: this.#recentCalls, failed, lastFailedAt: this.#lastFailedAt };
  }

  /** An operation begins, maybe a tool's call. */
  begin(tool: string | undefined): void {
    this.#all?.begin(tool);
    if (tool !== undefined) this.#inFlight++;
  }

  /** An operation has brought a result, which began then on the clock of `performance.now()`. */
  succeeded(tool: string | undefined, startedAt: number, result: unknown): void {
    this.#all?.succeeded(tool, startedAt, result);
    this.#lastSuccessAt = Date.now();
    if (tool === undefined) return;
    this.#inFlight--;
    if ((result as CallToolResult).isError === true) this.#toolErrors++;
    else this.#succeeded++;
    this.#latencies.record(tool, performance.now() - startedAt);
    this.#remember(0);
  }

  /** An operation has failed that was given these limits. */
  failed(tool: string | undefined, error: unknown, limits: OwnLimits = {}): void {
    this.#all?.failed(tool, error, limits);
    if (tool !== undefined) this.#inFlight--;
    if (isToolError(error)) {
      this.#toolErrors++;
      this.#remember(0);
      return;
    }
    const { code } = this.#note(error);
    if (tool === undefined) return;
    this.#failed[code]++;
    if (!isServerFailure(error, limits)) return;
    this.#lastFailedAt = Date.now();
    this.#remember(1);
  }

  /** The state of the connection changed. */
  stateChanged(state: ConnectionState): void {
    if (state.name === 'ready') {
      this.#connectedAt = Date.now();
      if (this.#wasConnected) {
        this.#reconnects++;
        this.#reconnectedAt = [this.#connectedAt, ...this.#reconnectedAt.slice(0, 2)];
      }
      this.#wasConnected = true;
    } else {
      this.#connectedAt = 0;
      if (state.name === 'closed') this.#wasConnected = false;
      else if (state.name === 'reconnecting' || state.name === 'resting') this.#note(state.reason);
    }
  }

  read(droppedNow: number): ClientStats {
    const { messagesSent, messagesReceived, bytesSent, bytesReceived, lastActivityAt } =
      this.#counts;
    return {
      connectedSince: dateOf(this.#connectedAt),
      lastActivityAt: dateOf(lastActivityAt),
      reconnects: this.#reconnects,
      messages: { sent: messagesSent, received: messagesReceived },
      bytes: { sent: bytesSent, received: bytesReceived },
      calls: {
        succeeded: this.#succeeded,
        toolErrors: this.#toolErrors,
        failed: { ...this.#failed },
        inFlight: this.#inFlight,
      },
      tools: this.#latencies.read(),
      lastError: this.#lastError && { ...this.#lastError },
      lastSuccessAt: dateOf(this.#lastSuccessAt),
      droppedAnswers: this.droppedBefore + droppedNow,
      principals: 0,
    };
  }

  #remember(bit: 0 | 1): void {
    this.#recent = ((this.#recent << 1) | bit) & RECENT_MASK;
    if (this.#recentCalls < RECENT_CALLS) this.#recentCalls++;
  }

  #note(error: unknown): { code: ErrorCode } {
    const code = error instanceof LongwireError ? error.code : 'protocol';
    const message = error instanceof Error ? error.message : String(error);
    this.#lastError = { code, message, at: new Date() };
    return this.#lastError;
  }
}

/** Times are kept as numbers, 0 for never: dates would be an object for each call. */
function dateOf(at: number): Date | undefined {
  return at === 0 ? undefined : new Date(at);
}
