import type { Call, CallGate, CallOutcome } from '../calls/call.js';
import type { MaybePromise } from '../principal.js';
import type { Refusal } from '../refusal.js';
import type { ResolvedQueueOptions } from './queues.js';
import { deliverRun, type ToolRun } from './running-tools.js';
import * as refusals from './refusals.js';
import { ToolPatterns, type ToolRule } from './tool-patterns.js';
import type { CallWorkers, NoSlot, WorkQueue } from './work-queue.js';
import { runInWorker } from './worker-run.js';

/**
 * Lets calls of heavy tools wait for a slot. A call keeps its slot until it is answered; a cancelled one
 * until its tool has really ended, as far as that can be seen ({@link watchTools}), or for `abandonedMs`.
 */
export class QueueGate implements CallGate {
  readonly #tools: ToolPatterns<ResolvedQueueOptions>;
  readonly #queue: WorkQueue;
  readonly #workers: CallWorkers | undefined;
  /** Weak, so that a call that a defect elsewhere never ends is not kept. */
  readonly #held = new WeakMap<Call, HeldCall>();

  /** @param workers what runs the calls of queues that have workers. */
  constructor(
    queues: Readonly<Record<string, ResolvedQueueOptions>>,
    queue: WorkQueue,
    workers?: CallWorkers,
  ) {
    this.#tools = new ToolPatterns(queues);
    this.#queue = queue;
    this.#workers = workers;
  }

  /** The gate, or nothing where no queue is set. */
  static from(
    queues: Readonly<Record<string, ResolvedQueueOptions>>,
    queue: WorkQueue,
    workers?: CallWorkers,
  ): QueueGate | undefined {
    return Object.keys(queues).length > 0 ? new QueueGate(queues, queue, workers) : undefined;
  }

  hold(call: Call): MaybePromise<Refusal | undefined> {
    if (call.method !== 'tools/call' || call.target === undefined) return undefined;
    const rule = this.#tools.find(call.target);
    return rule === undefined ? undefined : this.#wait(call, rule);
  }

  around(call: Call, deliver: () => void): void {
    const held = this.#held.get(call);
    if (held === undefined) deliver();
    else deliverRun(held, deliver);
  }

  leave(call: Call, outcome: CallOutcome): void {
    this.#held.get(call)?.leave(outcome);
    this.#held.delete(call);
  }

  async #wait(
    call: Call,
    { pattern, setting }: ToolRule<ResolvedQueueOptions>,
  ): Promise<Refusal | undefined> {
    const { limits, abandonedMs } = setting;
    const held = new HeldCall(call, abandonedMs);
    const workers = limits.worker === true ? this.#workers : undefined;
    if (workers !== undefined) {
      held.elsewhere = (request) =>
        runInWorker(workers, { call, work: { queue: pattern, limits }, request });
    }
    const hasNoWorker = (): boolean =>
      workers !== undefined && this.#queue.depth(pattern).workers === 0;
    this.#held.set(call, held);
    const slot = await this.#queue.acquire({
      queue: pattern,
      principal: call.principal.id,
      limits,
      signal: call.signal,
      onPlace: (place) =>
        held.tellPlace(place, hasNoWorker() ? `${pattern}, which has no worker now` : pattern),
    });
    if (typeof slot === 'string') {
      return refusalOf(slot, { queue: pattern, limits, hasNoWorker: hasNoWorker() });
    }
    held.take(slot);
    return call.signal.aborted ? refusals.cancelledInQueue({ queue: pattern, limits }) : undefined;
  }
}

function refusalOf(reason: NoSlot, queue: refusals.NamedQueue): Refusal {
  switch (reason) {
    case 'full':
      return refusals.queueFull(queue);
    case 'principal-full':
      return refusals.principalQueueFull(queue);
    case 'timeout':
      return refusals.queueTimeout(queue);
    case 'cancelled':
      return refusals.cancelledInQueue(queue);
    case 'away':
      return refusals.queueAway(queue);
  }
}

/** A call that waits for its slot, or has it. */
class HeldCall implements ToolRun {
  elsewhere: ToolRun['elsewhere'];
  readonly #call: Call;
  readonly #abandonedMs: number;
  #free: (() => void) | undefined;
  #hasLeft = false;
  #isRunning = false;
  #abandoned: NodeJS.Timeout | undefined;
  #progress = -Infinity;

  constructor(call: Call, abandonedMs: number) {
    this.#call = call;
    this.#abandonedMs = abandonedMs;
  }

  take(free: () => void): void {
    this.#free = free;
    // It ended between the queue's answer and now.
    if (this.#hasLeft) this.#release();
  }

  leave(outcome: CallOutcome): void {
    this.#hasLeft = true;
    if (outcome.kind !== 'cancelled' || !this.#isRunning) {
      this.#release();
    } else if (this.#abandonedMs !== Infinity) {
      this.#abandoned = setTimeout(() => {
        this.#call.log.warn(
          { tool: this.#call.target },
          'a cancelled call gives its slot back, but its tool still runs (abandonedMs)',
        );
        this.#release();
      }, this.#abandonedMs).unref();
    }
  }

  begun(): void {
    if (this.#hasLeft) throw new Error('the call ended before its tool began');
    this.#isRunning = true;
  }

  ended(): void {
    this.#isRunning = false;
    if (this.#hasLeft) this.#release();
  }

  tellPlace(place: number, queue: string): void {
    // "The progress value MUST increase with each notification":
    // https://modelcontextprotocol.io/specification/2025-11-25/basic/utilities/progress
    // Below 0, so that the tool's own progress can begin at 0; a place may grow, by turns of others.
    this.#progress = -place > this.#progress ? -place : this.#progress / 2;
    try {
      this.#call.progress(this.#progress, `${ordinal(place)} in the queue of ${queue}`);
    } catch (error) {
      this.#call.log.error(error, 'the place in a queue could not be told');
    }
  }

  #release(): void {
    clearTimeout(this.#abandoned);
    this.#free?.();
    this.#free = undefined;
  }
}

const ORDINALS = new Intl.PluralRules('en', { type: 'ordinal' });
const ENDINGS: Readonly<Partial<Record<Intl.LDMLPluralRule, string>>> = {
  one: 'st',
  two: 'nd',
  few: 'rd',
};

function ordinal(place: number): string {
  return `${place}${ENDINGS[ORDINALS.select(place)] ?? 'th'}`;
}
