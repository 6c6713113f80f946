import type { JSONRPCErrorResponse, JSONRPCResultResponse } from '@modelcontextprotocol/server';
import type { IncomingHttpHeaders } from 'node:http';
import type { Principal } from '../principal.js';

/** How heavy work is limited. */
export interface QueueLimits {
  /** How much runs at a time. */
  readonly concurrency: number;
  /** How much of all principals may wait. */
  readonly maxQueued: number;
  /** How long it may wait, in milliseconds. */
  readonly timeoutMs: number;
  /** How much of one principal may run and wait; `Infinity` for no limit. */
  readonly perPrincipal: number;
  /** Whether it runs in workers: then no more runs at a time than they take. Default: `false`. */
  readonly worker?: boolean;
}

/** Somebody waits for a slot. */
export interface SlotRequest {
  /** Which queue: the tool, or the pattern that it matches. */
  readonly queue: string;
  readonly principal: string;
  readonly limits: QueueLimits;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
  /** Told its place whenever that changes, 1 for the next. */
  onPlace(place: number): void;
}

/** Why there is no slot. `away`: what keeps the queue cannot be reached. */
export type NoSlot = 'full' | 'principal-full' | 'timeout' | 'cancelled' | 'away';

/** Serves waiting work fairly between principals: in memory, or by workers elsewhere. */
export interface WorkQueue {
  /** Waits for a slot; call what it gives once the work has ended. */
  acquire(request: SlotRequest): Promise<(() => void) | NoSlot>;
  /** How much waits, and runs, in a queue; and how much its workers take at a time, where it has such. */
  depth(queue: string): {
    readonly waiting: number;
    readonly running: number;
    readonly workers?: number;
  };
  /**
   * Calls these queues' tools in other processes. Called once by each mount that has such queues; where it
   * is missing, there are no other processes.
   *
   * @throws Error that says what is missing.
   */
  workers?(queues: readonly string[]): Promise<CallWorkers>;
}

/** A call of a tool, as a worker gets it. JSON can hold it. */
export interface WorkerCall {
  readonly tool: string;
  /** The params of `tools/call`. */
  readonly params: Readonly<Record<string, unknown>>;
  readonly principal: Principal;
  /** Of the request that brought it, without those that hold credentials. */
  readonly headers: IncomingHttpHeaders;
  /** Of the protocol that it came by. */
  readonly era: 'legacy' | 'modern';
  /** What its client said of itself. */
  readonly client: {
    readonly capabilities: Readonly<Record<string, unknown>>;
    readonly info: Readonly<Record<string, unknown>>;
  };
}

/** What comes of it. */
export type WorkerAnswer =
  | { readonly result: JSONRPCResultResponse['result'] }
  | { readonly error: JSONRPCErrorResponse['error'] };

/** What waits for a call in a worker. */
export interface WorkerCaller {
  /** Cancels the call. */
  readonly signal: AbortSignal;
  /** Progress and log messages, in their order. */
  notify(method: string, params: Record<string, unknown>): void;
}

/** The processes that run calls. */
export interface CallWorkers {
  /**
   * Runs a call that has its slot. Every end of it is an answer: also that its worker died, that none took
   * it for as long as it may wait, and that it was cancelled.
   */
  run(
    work: { readonly queue: string; readonly limits: QueueLimits; readonly call: WorkerCall },
    caller: WorkerCaller,
  ): Promise<WorkerAnswer>;
  /** Waits for nothing any more, and closes what it has opened. */
  close(): Promise<void>;
}
