import { LinkedList, type LinkedNode } from './linked-list.js';
import type { NoSlot, QueueLimits, SlotRequest, WorkQueue } from './work-queue.js';

/** So many are told their places at once; beyond that, all of them at most this often. */
const MAX_TOLD_AT_ONCE = 100;
const TELL_PLACES_MS = 1_000;

/**
 * The queues of one node.
 *
 * - The principals with waiting work take turns: one slot each, in the order in which they began to
 *   wait. Of one principal, the work that came first runs first. So whoever sends a thousand calls delays
 *   another one's only call by one call.
 * - Taking, freeing and giving up a slot takes the same time however many wait.
 * - Places are told in one pass after the changes of a turn of the event loop. Where more than 100 wait,
 *   there is at most one pass a second: every slot that is freed changes all places.
 */
export class MemoryWorkQueue implements WorkQueue {
  readonly #queues = new Map<string, SlotQueue>();

  acquire(request: SlotRequest): Promise<(() => void) | NoSlot> {
    const name = request.queue;
    let queue = this.#queues.get(name);
    if (queue === undefined) {
      queue = new SlotQueue(() => this.#queues.delete(name));
      this.#queues.set(name, queue);
    }
    return queue.acquire(request);
  }

  depth(queue: string): { readonly waiting: number; readonly running: number } {
    const { waiting, running } = this.#queues.get(queue) ?? { waiting: 0, running: 0 };
    return { waiting, running };
  }
}

/** What one principal has in a queue. */
interface Share {
  readonly principal: string;
  running: number;
  readonly waiters: LinkedList<Waiter>;
  /** Its place among those who take turns; none where nothing of it waits. */
  turn: LinkedNode<Share> | undefined;
}

interface Waiter {
  readonly request: SlotRequest;
  readonly share: Share;
  readonly settle: (outcome: (() => void) | NoSlot) => void;
  place: number;
}

class SlotQueue {
  readonly #onEmpty: () => void;
  readonly #shares = new Map<string, Share>();
  readonly #turns = new LinkedList<Share>();
  #concurrency = 1;
  #running = 0;
  #waiting = 0;
  #telling: NodeJS.Immediate | undefined;
  #tellingLater: NodeJS.Timeout | undefined;

  constructor(onEmpty: () => void) {
    this.#onEmpty = onEmpty;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting;
  }

  async acquire(request: SlotRequest): Promise<(() => void) | NoSlot> {
    const { principal, limits, signal } = request;
    this.#concurrency = limits.concurrency;
    const share = this.#shareOf(principal);
    const refused = signal.aborted ? 'cancelled' : this.#refuses(share, limits);
    if (refused !== undefined) {
      this.#drop(share);
      return refused;
    }
    // Nobody waits while there is a free slot, so that this overtakes nobody.
    if (this.#running < this.#concurrency && this.#waiting === 0) return this.#take(share);
    const outcome = new Promise<(() => void) | NoSlot>((settle) =>
      this.#wait(request, share, settle),
    );
    // The concurrency may have been raised meanwhile.
    this.#serve();
    return outcome;
  }

  #refuses(share: Share, limits: QueueLimits): NoSlot | undefined {
    if (share.running + share.waiters.size >= limits.perPrincipal) return 'principal-full';
    const isFree = this.#running < this.#concurrency && this.#waiting === 0;
    return !isFree && this.#waiting >= limits.maxQueued ? 'full' : undefined;
  }

  #wait(request: SlotRequest, share: Share, settled: Waiter['settle']): void {
    const { limits, signal } = request;
    const leave = (why: NoSlot): void => {
      this.#remove(node);
      settle(why);
      this.#drop(share);
    };
    const cancel = (): void => leave('cancelled');
    const timer =
      limits.timeoutMs === Infinity
        ? undefined
        : setTimeout(() => leave('timeout'), limits.timeoutMs).unref();
    signal.addEventListener('abort', cancel, { once: true });
    const settle = (outcome: (() => void) | NoSlot): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', cancel);
      settled(outcome);
    };
    const node = share.waiters.push({ request, share, settle, place: 0 });
    share.turn ??= this.#turns.push(share);
    this.#waiting++;
    this.#tellPlaces();
  }

  /** Gives free slots to those whose turn it is. */
  #serve(): void {
    while (this.#running < this.#concurrency) {
      const share = this.#turns.first?.item;
      const node = share?.waiters.first;
      if (share === undefined || node === undefined) return;
      const { settle } = node.item;
      this.#remove(node);
      // To the end of those who take turns.
      if (share.turn !== undefined) {
        this.#turns.remove(share.turn);
        share.turn = this.#turns.push(share);
      }
      settle(this.#take(share));
    }
  }

  #remove(node: LinkedNode<Waiter>): void {
    const { share } = node.item;
    share.waiters.remove(node);
    if (share.waiters.size === 0 && share.turn !== undefined) {
      this.#turns.remove(share.turn);
      share.turn = undefined;
    }
    this.#waiting--;
    this.#tellPlaces();
  }

  #take(share: Share): () => void {
    share.running++;
    this.#running++;
    let isFreed = false;
    return () => {
      if (isFreed) return;
      isFreed = true;
      share.running--;
      this.#running--;
      this.#drop(share);
      this.#serve();
    };
  }

  #shareOf(principal: string): Share {
    let share = this.#shares.get(principal);
    if (share === undefined) {
      share = { principal, running: 0, waiters: new LinkedList(), turn: undefined };
      this.#shares.set(principal, share);
    }
    return share;
  }

  /** Forgets a principal that has nothing here, and a queue that nobody uses. */
  #drop(share: Share): void {
    if (share.running > 0 || share.waiters.size > 0) return;
    this.#shares.delete(share.principal);
    if (this.#shares.size > 0) return;
    clearImmediate(this.#telling);
    clearTimeout(this.#tellingLater);
    this.#onEmpty();
  }

  #tellPlaces(): void {
    if (this.#telling !== undefined || this.#tellingLater !== undefined) return;
    this.#telling = setImmediate(() => {
      this.#telling = undefined;
      if (this.#waiting > MAX_TOLD_AT_ONCE) {
        this.#tellingLater = setTimeout(() => {
          this.#tellingLater = undefined;
          this.#tellNow();
        }, TELL_PLACES_MS).unref();
      } else {
        this.#tellNow();
      }
    });
  }

  /** Goes through the turns as they would come if nobody else came or left. */
  #tellNow(): void {
    const changed: Waiter[] = [];
    let turn: LinkedNode<Waiter>[] = [];
    for (let share = this.#turns.first; share; share = share.next) {
      if (share.item.waiters.first) turn.push(share.item.waiters.first);
    }
    for (let place = 1; turn.length > 0;) {
      const nextTurn: LinkedNode<Waiter>[] = [];
      for (const { item: waiter, next } of turn) {
        if (waiter.place !== place) changed.push(waiter);
        waiter.place = place++;
        if (next) nextTurn.push(next);
      }
      turn = nextTurn;
    }
    // Told last: whoever is told may cancel its own or another one.
    for (const { request, place } of changed) request.onPlace(place);
  }
}
