import type { CallWorkers, NoSlot, SlotRequest, WorkQueue } from '@longwire/server';
import { BullCallWorkers } from './bull-call-workers.js';
import { Slots } from './slots.js';
import type { WorkConnection } from './work-connection.js';

/**
 * The queues of all nodes. A slot is the cluster's: the principals with waiting work take turns, wherever
 * their calls came in. What a node has in a queue is held under a lease of 3 s: a node that dies gives its
 * slots and places back. One that only stalled puts them there again, each at its old place; what it ran
 * meanwhile may have run beside the work of those who got its slots.
 */
export class RedisWorkQueue implements WorkQueue {
  readonly #connection: WorkConnection;
  readonly #node: string;
  readonly #queues = new Map<string, Slots>();
  /** Those whose calls run in other processes. */
  readonly #withWorkers = new Set<string>();

  /** @param node the name of this node, which no other has or had. */
  constructor(connection: WorkConnection, { node }: { readonly node: string }) {
    this.#connection = connection;
    this.#node = node;
  }

  acquire(request: SlotRequest): Promise<(() => void) | NoSlot> {
    return this.#of(request.queue).acquire(request);
  }

  /** Of all nodes, as this one was told last. */
  depth(queue: string): ReturnType<WorkQueue['depth']> {
    const { waiting, running, workers } = this.#of(queue).depth;
    return this.#withWorkers.has(queue) ? { waiting, running, workers } : { waiting, running };
  }

  /**
   * Calls these queues' tools in the processes of `longwire worker`, by BullMQ. A call is only handed over
   * once it has its slot, so that the order of the principals is that of the queue.
   *
   * @throws Error where BullMQ is not installed.
   */
  async workers(queues: readonly string[]): Promise<CallWorkers> {
    for (const queue of queues) this.#withWorkers.add(queue);
    return BullCallWorkers.connect(this.#connection, { queues, node: this.#node });
  }

  /** Gives back what this node has in the queues. */
  async close(): Promise<void> {
    await Promise.all([...this.#queues.values()].map((slots) => slots.close()));
  }

  #of(queue: string): Slots {
    let slots = this.#queues.get(queue);
    if (slots === undefined) {
      slots = new Slots(this.#connection, { queue, node: this.#node });
      this.#queues.set(queue, slots);
    }
    return slots;
  }
}
