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

/** Why there is no slot. */
export type NoSlot = 'full' | 'principal-full' | 'timeout' | 'cancelled';

/** Serves waiting work fairly between principals: in memory, or by workers elsewhere. */
export interface WorkQueue {
  /** Waits for a slot; call what it gives once the work has ended. */
  acquire(request: SlotRequest): Promise<(() => void) | NoSlot>;
  /** How much waits, and runs, in a queue. */
  depth(queue: string): { readonly waiting: number; readonly running: number };
}
