import { checkOptionNames, checkPositive } from '../connection/options.js';
import { LongwireError } from '../errors.js';
import { createGlob } from '../untrusted/glob.js';
import { sizeOf } from '../untrusted/json-size.js';
import { checkPatterns } from './name-patterns.js';
import type { GroupEvent } from './types.js';

/** Options of `group.events()`. */
export interface GroupEventsOptions {
  /** Of these servers alone: names, or patterns of names. Default: all. */
  servers?: readonly string[];
  /**
   * These alone: `state`, `notification`, `toolsChanged`, `error`; or patterns of what is notified,
   * such as `notifications/message`, `notifications/resources/*`, or the name of an event of a
   * tool-events server. Default: all.
   */
  kinds?: readonly string[];
  /** How many events may wait to be read; never more than 64 MB of them, about. Default 1 000. */
  bufferSize?: number;
  /**
   * What happens to an event for which there is no room: the oldest that waits makes room for it,
   * or it is dropped itself, or what waits is the last there is, and then the iteration fails with
   * code `limit-exceeded`. Default `drop-oldest`.
   */
  onOverflow?: 'drop-oldest' | 'drop-newest' | 'error';
  /** Ends the iteration at once; what waits is not read any more. */
  signal?: AbortSignal;
}

/** Events as they come. It listens from when it was made until it ends, whether or not it is read. */
export interface GroupEventStream extends AsyncIterableIterator<GroupEvent, undefined> {
  /** How many events found no room. */
  readonly dropped: number;
  /** Ends the iteration at once. */
  return(): Promise<IteratorResult<GroupEvent, undefined>>;
}

/** What may wait, by the measure of `sizeOf`: of text, 64 MB. */
const MAX_SIZE = 2_000_000;
/** What is nested deeper is too much. */
const MAX_DEPTH = 1000;

const KINDS: Record<GroupEvent['kind'], true> = {
  state: true,
  notification: true,
  toolsChanged: true,
  error: true,
};

const POLICIES = ['drop-oldest', 'drop-newest', 'error'];

/** The events of a group for one reader, as many as there is room for. */
export class EventFeed implements GroupEventStream {
  readonly #options: GroupEventsOptions;
  readonly #wants: (event: GroupEvent) => boolean;
  readonly #bufferSize: number;
  readonly #onEnd: (feed: EventFeed) => void;
  readonly #onAbort = (): void => this.#stop();
  #waiting: { event: GroupEvent; size: number }[] = [];
  /** Of all that waits. */
  #size = 0;
  #readers: ((result: IteratorResult<GroupEvent, undefined>) => void)[] = [];
  #failure: LongwireError | undefined;
  #hasEnded = false;
  #dropped = 0;

  /** Use `group.events()`. */
  constructor(options: GroupEventsOptions, onEnd: (feed: EventFeed) => void) {
    checkFeedOptions(options);
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

  /** Nothing more will come; what waits is still read. */
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
    const payload = event.kind === 'notification' ? event.params : undefined;
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

function filterOf({ servers, kinds }: GroupEventsOptions): (event: GroupEvent) => boolean {
  const isFrom = servers === undefined ? () => true : createGlob(servers);
  if (kinds === undefined) return ({ server }) => isFrom(server);
  const whole = new Set(kinds.filter((kind) => kind in KINDS));
  const patterns = kinds.filter((kind) => !(kind in KINDS));
  const isNamed = patterns.length === 0 ? () => false : createGlob(patterns);
  return (event) => {
    if (!isFrom(event.server)) return false;
    if (whole.has(event.kind)) return true;
    return event.kind === 'notification' && namesOf(event).some(isNamed);
  };
}

/** What a notification is called: by MCP, and by a server that has events of its own. */
function namesOf({ method, params }: Extract<GroupEvent, { kind: 'notification' }>): string[] {
  const event = method === 'notifications/event' ? params?.['event'] : undefined;
  return typeof event === 'string' ? [method, event] : [method];
}

function checkFeedOptions(options: GroupEventsOptions): void {
  checkOptionNames(options, ['servers', 'kinds', 'bufferSize', 'onOverflow', 'signal']);
  const { servers, kinds, bufferSize, onOverflow, signal } = options;
  checkPatterns('servers', servers);
  checkPatterns('kinds', kinds);
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
