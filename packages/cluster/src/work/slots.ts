import { hash } from 'node:crypto';
import type { NoSlot, SlotRequest } from '@longwire/server';
import { isObject, parseJson } from '../payloads.js';
import type { StoreConnection } from '../stores/store-connection.js';
import { inTurns } from './places.js';
import { QueueKeys } from './queue-keys.js';
import { SLOTS_SCRIPT } from './slots-script.js';

/** So many are told their places at once; beyond that, all of them at most this often. */
const MAX_TOLD_AT_ONCE = 100;
const TELL_PLACES_MS = 1_000;
/** A node that is silent for longer gives back what it has here. */
export const LEASE_MS = 3_000;

/** How much there is of a queue. */
export interface SlotDepth {
  readonly waiting: number;
  readonly running: number;
  /** How many calls its workers take at a time. */
  readonly workers: number;
}

interface Entry {
  readonly request: SlotRequest;
  readonly who: string;
  readonly settle: (outcome: (() => void) | NoSlot) => void;
  /** As it waits in Redis; missing until that is known. */
  member: string | undefined;
  isRunning: boolean;
  place: number;
}

/** What the script answers. */
type Answer = [
  answer: string,
  isKnown: number,
  version: number,
  waiting: number,
  running: number,
  workers: number,
  granted: string[],
  list: unknown[],
];

/** One queue, as one node takes part in it. */
export class Slots {
  readonly #connection: StoreConnection;
  readonly #node: string;
  readonly #keys: readonly string[];
  readonly #channel: string;
  readonly #entries = new Map<string, Entry>();
  readonly #unsubscribe: (() => void)[];
  #lastId = 0;
  #limits: readonly [concurrency: number, worker: number] = [1, 0];
  #depth: SlotDepth = { waiting: 0, running: 0, workers: 0 };
  #version = -1;
  #ticking: NodeJS.Timeout | undefined;
  #telling: NodeJS.Immediate | undefined;
  #tellingLater: NodeJS.Timeout | undefined;
  #isLooking = false;
  #mustLookAgain = false;
  #isClosed = false;

  constructor(connection: StoreConnection, { queue, node }: { queue: string; node: string }) {
    this.#connection = connection;
    this.#node = node;
    const keys = new QueueKeys(connection.prefix, queue);
    this.#keys = keys.slots;
    this.#channel = keys.changes;
    this.#unsubscribe = [
      connection.subscribe(this.#channel, (told) => this.#told(told)),
      connection.onMissed(() => this.#tick()),
    ];
    this.#look();
  }

  get depth(): SlotDepth {
    return this.#depth;
  }

  acquire(request: SlotRequest): Promise<(() => void) | NoSlot> {
    const { limits, principal, signal } = request;
    if (signal.aborted) return Promise.resolve('cancelled');
    const id = `${this.#node}/${++this.#lastId}`;
    const who = hash('sha256', principal, 'base64url').slice(0, 22);
    this.#limits = [limits.concurrency, limits.worker === true ? 1 : 0];
    const { promise, resolve } = withResolvers<(() => void) | NoSlot>();
    const leave = (why: NoSlot): void => {
      this.#remove(id);
      settle(why);
    };
    const cancel = (): void => leave('cancelled');
    const timer =
      limits.timeoutMs === Infinity
        ? undefined
        : setTimeout(() => leave('timeout'), limits.timeoutMs).unref();
    signal.addEventListener('abort', cancel, { once: true });
    const settle: Entry['settle'] = (outcome) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', cancel);
      resolve(outcome);
    };
    const entry = { request, who, settle, member: undefined, isRunning: false, place: 0 };
    this.#entries.set(id, entry);
    this.#ticking ??= setInterval(() => this.#tick(), LEASE_MS / 3).unref();
    void this.#ask(id, entry);
    return promise;
  }

  /** Gives back what this node has here. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#ticking);
    clearImmediate(this.#telling);
    clearTimeout(this.#tellingLater);
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    for (const [id, { settle }] of this.#entries) {
      this.#entries.delete(id);
      settle('cancelled');
    }
    try {
      await this.#call('leave');
    } catch {
      // Its lease ends by itself.
    }
  }

  async #ask(id: string, entry: Entry): Promise<void> {
    const { limits } = entry.request;
    let answer: Answer;
    try {
      answer = await this.#call(
        'acquire',
        entry.who,
        id,
        limits.maxQueued === Infinity ? -1 : limits.maxQueued,
        limits.perPrincipal === Infinity ? -1 : limits.perPrincipal,
      );
    } catch {
      if (this.#entries.delete(id)) entry.settle('away');
      // It may have been asked for all the same: what nobody here knows is dropped at the next tick.
      return;
    }
    const [status] = answer;
    if (status === 'full' || status === 'principal-full') {
      if (this.#entries.delete(id)) entry.settle(status);
    } else if (status === 'slot') {
      this.#granted(id);
    } else if (this.#entries.get(id) !== entry) {
      this.#drop(id, status);
    } else {
      entry.member = status;
    }
  }

  /** A slot is this node's. */
  #granted(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) {
      this.#drop(id);
      return;
    }
    if (entry.isRunning) return;
    entry.isRunning = true;
    entry.settle(() => this.#remove(id));
  }

  /** Takes back what waits or runs. */
  #remove(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    // Where it is not known yet whether it waits, the answer to that finds it gone.
    if (entry.isRunning || entry.member !== undefined) this.#drop(id, entry.member);
    if (this.#entries.size > 0) return;
    clearInterval(this.#ticking);
    this.#ticking = undefined;
  }

  #drop(id: string, member = ''): void {
    this.#call('drop', id, member).catch(() => {
      // The lease of this node ends, or a tick drops it.
    });
  }

  /** Renews the lease, and finds what a message that was lost has told. */
  #tick(): void {
    if (this.#entries.size === 0 || this.#isClosed) return;
    this.#call('tick').then(
      ([, , , , , , , list]) => {
        const [running, waiting] = list as [running: string[], waiting: string[]];
        for (const id of running) this.#granted(id);
        const known = new Set(waiting);
        const isMissing = [...this.#entries].some(
          ([id, { member, isRunning }]) => !isRunning && member !== undefined && !known.has(id),
        );
        if (isMissing) this.#restore();
      },
      () => {
        // Tried again at the next tick.
      },
    );
  }

  /** Puts everything there again: the lease had ended, or Redis has lost its data. */
  #restore(): void {
    const kept = [...this.#entries].flatMap(([id, { who, member, isRunning }]) => {
      if (isRunning) return ['running', id, who];
      return member === undefined ? [] : ['waiting', id, member];
    });
    if (kept.length === 0) return;
    this.#call('restore', ...kept).catch(() => {
      // The next call finds the lease ended again.
    });
  }

  async #call(op: string, ...args: readonly (string | number)[]): Promise<Answer> {
    const lease = op === 'look' ? '' : this.#node;
    const given = [op, this.#channel, lease, LEASE_MS, ...this.#limits, ...args];
    const answer = (await this.#connection.run(SLOTS_SCRIPT, this.#keys, given, {
      again: op !== 'acquire',
    })) as Answer;
    const [, isKnown, version, waiting, running, workers, granted] = answer;
    if (op !== 'leave') {
      this.#note(version, { waiting, running, workers });
      for (const id of granted) if (this.#isOwn(id)) this.#granted(id);
      if (isKnown === 0 && op !== 'restore' && lease !== '') this.#restore();
    }
    return answer;
  }

  #told(text: string): void {
    const told = parseJson(text);
    // Nobody of this version has said that; what there is, is asked for.
    if (!isTold(told)) return this.#look();
    const { version, waiting, running, workers, granted = [] } = told;
    this.#note(version, { waiting, running, workers });
    for (const id of granted) if (this.#isOwn(id)) this.#granted(id);
  }

  #isOwn(id: string): boolean {
    return id.startsWith(`${this.#node}/`);
  }

  #note(version: number, depth: SlotDepth): void {
    // A store that was emptied counts from the beginning.
    if (version === this.#version || (version < this.#version && version > 1)) return;
    this.#version = version;
    this.#depth = depth;
    if (depth.waiting > 0) this.#tellPlaces();
  }

  #tellPlaces(): void {
    if (this.#telling !== undefined || this.#tellingLater !== undefined || this.#isClosed) return;
    this.#telling = setImmediate(() => {
      this.#telling = undefined;
      if (this.#depth.waiting <= MAX_TOLD_AT_ONCE) return this.#look();
      this.#tellingLater = setTimeout(() => {
        this.#tellingLater = undefined;
        this.#look();
      }, TELL_PLACES_MS).unref();
    });
  }

  #look(): void {
    if (this.#isLooking) {
      this.#mustLookAgain = true;
      return;
    }
    this.#isLooking = true;
    this.#call('look')
      .then(
        ([, , , , , , , list]) => this.#tell(list as [turns: string[], waiting: string[]]),
        () => {
          // The next change looks again.
        },
      )
      .finally(() => {
        this.#isLooking = false;
        if (!this.#mustLookAgain || this.#isClosed) return;
        this.#mustLookAgain = false;
        this.#look();
      });
  }

  #tell([turns, waiting]: readonly [turns: string[], waiting: string[]]): void {
    const changed: Entry[] = [];
    for (const [index, id] of inTurns(turns, waiting).entries()) {
      const entry = this.#entries.get(id);
      if (entry === undefined || entry.isRunning || entry.place === index + 1) continue;
      entry.place = index + 1;
      changed.push(entry);
    }
    // Told last: whoever is told may cancel its own or another one.
    for (const { request, place } of changed) request.onPlace(place);
  }
}

interface ToldSlots extends SlotDepth {
  readonly version: number;
  readonly granted?: readonly string[];
}

function isTold(value: unknown): value is ToldSlots {
  if (!isObject(value)) return false;
  const { version, waiting, running, workers, granted = [] } = value;
  return (
    [version, waiting, running, workers].every((count) => typeof count === 'number') &&
    Array.isArray(granted) &&
    granted.every((id) => typeof id === 'string')
  );
}

/** `Promise.withResolvers`, which Node 20 does not have. */
function withResolvers<Value>(): { promise: Promise<Value>; resolve: (value: Value) => void } {
  let resolve!: (value: Value) => void;
  const promise = new Promise<Value>((fulfil) => (resolve = fulfil));
  return { promise, resolve };
}
