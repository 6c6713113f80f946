import { LongwireError } from '../errors.js';
import { createGlob } from '../untrusted/glob.js';
import { sizeOf } from '../untrusted/json-size.js';
import { checkPatterns } from './name-patterns.js';
import type { GroupEvent } from './types.js';
import { checkOptionNames, checkPositive } from '../options/checks.js';

/** Options of `group.events()`. */
export interface GroupEventsOptions {
  /** Of these servers alone: names, or patterns of names. Default: all. */
  servers?: readonly string[];
  /**
   * Of these types alone: `state`, `notification`, `tools-changed`, `waiting`, `breaker`, `progress`,
   * `error`; or patterns of notifications, such as `notifications/message`,
   * `notifications/resources/*`, or the name of an event of a tool-events server. Default: all but
   * `progress`.
   */
  types?: readonly string[];
  /** How many events may wait to be read, never more than about 64 MB. Default 1 000. */
  bufferSize?: number;
  /**
   * What happens to an event for which there is no room. Default `drop-oldest`.
   *
   * - `drop-oldest`: the oldest event that waits is dropped.
   * - `drop-newest`: the new event is dropped.
   * - `error`: after the events that wait, the iteration fails with code `limit-exceeded`.
   */
  onOverflow?: 'drop-oldest' | 'drop-newest' | 'error';
  /** Ends the iteration at once; events that wait are dropped. */
  signal?: AbortSignal;
}

/** Events as they come. They are collected from when this was made until it ends, read or not. */
export interface GroupEventStream extends AsyncIterableIterator<GroupEvent, undefined> {
  /** How many events were dropped because there was no room. */
  readonly dropped: number;
  /** Ends the iteration at once. */
  return(): Promise<IteratorResult<GroupEvent, undefined>>;
}

/** How much may wait, by the measure of `sizeOf`: of text, 64 MB. */
const MAX_SIZE = 2_000_000;
/** An event that is nested deeper is too large. */
const MAX_DEPTH = 1000;

const TYPES: Record<GroupEvent['type'], true> = {
  state: true,
  notification: true,
  'tools-changed': true,
  waiting: true,
  breaker: true,
  progress: true,
  error: true,
};

const POLICIES = ['drop-oldest', 'drop-newest', 'error'];

/** The events of a group for one reader, as many as there is room for. */
export class EventQueue implements GroupEventStream {
  readonly #options: GroupEventsOptions;
  readonly #wants: (event: GroupEvent) => boolean;
  readonly #bufferSize: number;
  readonly #onEnd: (queue: EventQueue) => void;
  readonly #onAbort = (): void => this.#stop();
  #waiting: { event: GroupEvent; size: number }[] = [];
  /** Of all events that wait. */
  #size = 0;
  #readers: ((result: IteratorResult<GroupEvent, undefined>) => void)[] = [];
  #failure: LongwireError | undefined;
  #hasEnded = false;
  #dropped = 0;

  /** Use `group.events()`. */
  constructor(options: GroupEventsOptions, onEnd: (queue: EventQueue) => void) {
    checkEventsOptions(options);
    this.#options = options;
    this.#wants = filterOf(options);
    this.#bufferSize = options.bufferSize ?? 1_000;
    this.#onEnd = onEnd;
    options.signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (options.signal?.aborted) this.#stop();
  }

  get dropped(): number {
    return this.#dropped;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Takes an event, if it is wanted. */
  push(event: GroupEvent): void {
    if (this.#hasEnded || !this.#wants(event)) return;
    const reader = this.#readers.shift();
    if (reader !== undefined) reader({ done: false, value: event });
    else this.#keep(event);
  }

  /** Nothing more will come; events that wait are still read. */
  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    for (const reader of this.#readers.splice(0)) reader({ done: true, value: undefined });
    this.#onEnd(this);
  }

  async next(): Promise<IteratorResult<GroupEvent, undefined>> {
    const event = this.#shift();
    if (event !== undefined) return { done: false, value: event };
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
    if (this.#hasEnded) return { done: true, value: undefined };
    return new Promise((resolve) => this.#readers.push(resolve));
  }

  return(): Promise<IteratorResult<GroupEvent, undefined>> {
    this.#stop();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #stop(): void {
    this.#waiting = [];
    this.#size = 0;
    this.#failure = undefined;
    this.end();
  }

  #shift(): GroupEvent | undefined {
    const first = this.#waiting.shift();
    this.#size -= first?.size ?? 0;
    return first?.event;
  }

  #keep(event: GroupEvent): void {
    const payload = event.type === 'notification' ? event.params : undefined;
    const size = sizeOf(payload, { maxNodes: MAX_SIZE, maxDepth: MAX_DEPTH });
    const { onOverflow = 'drop-oldest' } = this.#options;
    const isFull = (): boolean =>
      this.#waiting.length >= this.#bufferSize || this.#size + size > MAX_SIZE;
    if (isFull() && (onOverflow !== 'drop-oldest' || size > MAX_SIZE)) {
      this.#overflow(event);
      return;
    }
    for (; isFull() && this.#waiting.length > 0; this.#dropped += 1) this.#shift();
    this.#size += size;
    this.#waiting.push({ event, size });
  }

  /** There is no room for an event. */
  #overflow(event: GroupEvent): void {
    this.#dropped += 1;
    if (this.#options.onOverflow === 'error') {
      this.#failure = new LongwireError(
        `${this.#waiting.length} events waited to be read when another came from ${event.server}`,
        {
          code: 'limit-exceeded',
          certainty: 'answered',
          hint: 'read them faster, raise bufferSize, or let onOverflow drop some',
        },
      );
      this.end();
    }
  }
}

function filterOf({ servers, types }: GroupEventsOptions): (event: GroupEvent) => boolean {
  const isFrom = servers === undefined ? () => true : createGlob(servers);
  if (types === undefined) return ({ type, server }) => type !== 'progress' && isFrom(server);
  const whole = new Set(types.filter((type) => type in TYPES));
  const patterns = types.filter((type) => !(type in TYPES));
  const isNamed = patterns.length === 0 ? () => false : createGlob(patterns);
  return (event) => {
    if (!isFrom(event.server)) return false;
    if (whole.has(event.type)) return true;
    return event.type === 'notification' && namesOf(event).some(isNamed);
  };
}

/** What a notification is called: by MCP, and by a server that has events of its own. */
function namesOf({ method, params }: Extract<GroupEvent, { type: 'notification' }>): string[] {
  const event = method === 'notifications/event' ? params?.['event'] : undefined;
  return typeof event === 'string' ? [method, event] : [method];
}

function checkEventsOptions(options: GroupEventsOptions): void {
  checkOptionNames(options, ['servers', 'types', 'bufferSize', 'onOverflow', 'signal']);
  const { servers, types, bufferSize, onOverflow, signal } = options;
  checkPatterns('servers', servers);
  checkPatterns('types', types);
  checkPositive('bufferSize', bufferSize);
  if (onOverflow !== undefined && !POLICIES.includes(onOverflow)) {
    throw new TypeError(
      `onOverflow: ${JSON.stringify(onOverflow)} is none of ${POLICIES.join(', ')}`,
    );
  }
  if (signal !== undefined && typeof signal?.addEventListener !== 'function') {
    throw new TypeError('signal: not an AbortSignal');
  }
}
