import { parseJson } from '../payloads.js';

/** What is known of a message that is kept, without its text. */
export interface KeptMessage {
  readonly seq: number;
  readonly stream: number;
  /** What it takes. */
  readonly bytes: number;
  /** When it was kept, in milliseconds since 1970. */
  readonly at: number;
  readonly isNotification: boolean;
}

type Dropped = [number, number, number, [stream: number, seq: number][]];

/** So many of the last messages that are not kept are known with their streams. */
const MAX_DROPPED = 64;

/**
 * Which messages of a session are kept, and what is known of the rest. The owner of a session has it, and
 * says what Redis drops.
 */
export class LogIndex {
  #notifications: KeptMessage[] = [];
  /** Answers and requests: a client without a cursor is sent nothing else. */
  #answers: KeptMessage[] = [];
  #bytes = 0;
  #lastSeq = 0;
  /** Whether Redis does not know yet that a message was not kept. */
  lacksNote = false;
  /** The last message that is not kept: of all streams, of the one for no request, of others. */
  #droppedSeq = 0;
  #droppedOfZero = 0;
  #droppedOfOthers = 0;
  /** Those that were dropped last, of streams for one request each. */
  #dropped: [stream: number, seq: number][] = [];

  /** What is known from what is kept (in any order) and what the last owner knew of the rest. */
  static from(
    kept: readonly KeptMessage[],
    dropped: string | undefined,
    lastSeq: number,
  ): LogIndex {
    const index = new LogIndex();
    for (const message of kept.toSorted((a, b) => a.seq - b.seq)) index.add(message);
    const noted = readDropped(dropped);
    if (noted !== undefined) {
      [index.#droppedSeq, index.#droppedOfZero, index.#droppedOfOthers, index.#dropped] = noted;
    } else if (kept.length < lastSeq) {
      // Nothing says which streams they belonged to.
      const before = (kept.reduce((least, { seq }) => Math.min(least, seq), Infinity) || 1) - 1;
      const seq = Math.min(before, lastSeq);
      index.#droppedSeq = index.#droppedOfZero = index.#droppedOfOthers = seq;
    }
    index.#lastSeq = Math.max(index.#lastSeq, lastSeq);
    index.lacksNote = false;
    return index;
  }

  /** Bytes that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The last message that it was told of. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  add(message: KeptMessage): void {
    this.#lastSeq = Math.max(this.#lastSeq, message.seq);
    this.#bytes += message.bytes;
    (message.isNotification ? this.#notifications : this.#answers).push(message);
  }

  /** Takes note of a message that is not kept. */
  skip({ seq, stream }: Pick<KeptMessage, 'seq' | 'stream'>): void {
    this.#lastSeq = Math.max(this.#lastSeq, seq);
    this.#droppedSeq = Math.max(this.#droppedSeq, seq);
    this.lacksNote = true;
    if (stream === 0) {
      this.#droppedOfZero = Math.max(this.#droppedOfZero, seq);
      return;
    }
    this.#dropped.push([stream, seq]);
    if (this.#dropped.length <= MAX_DROPPED) return;
    const [, oldest] = this.#dropped.shift() ?? [0, 0];
    this.#droppedOfOthers = Math.max(this.#droppedOfOthers, oldest);
  }

  /** Drops the oldest messages until so many bytes are left, notifications first. */
  trim(maxBytes: number): KeptMessage[] {
    const gone: KeptMessage[] = [];
    for (const queue of [this.#notifications, this.#answers]) {
      let count = 0;
      while (this.#bytes > maxBytes && count < queue.length) gone.push(this.#drop(queue, count++));
      queue.splice(0, count);
    }
    return gone;
  }

  /** Drops what was kept before this time. */
  expire(before: number): KeptMessage[] {
    const gone: KeptMessage[] = [];
    for (const queue of [this.#notifications, this.#answers]) {
      let count = 0;
      while ((queue[count]?.at ?? Infinity) < before) gone.push(this.#drop(queue, count++));
      if (count > 0) queue.splice(0, count);
    }
    return gone;
  }

  /** What came after `seq`, oldest first: of one stream, or of all. */
  after(seq: number, stream: number | undefined): KeptMessage[] {
    return [...this.#notifications, ...this.#answers]
      .filter((kept) => kept.seq > seq && (stream === undefined || kept.stream === stream))
      .toSorted((a, b) => a.seq - b.seq);
  }

  /** Whether all that came after `seq` is kept. */
  isCompleteAfter(seq: number, stream: number | undefined): boolean {
    return this.#droppedOf(stream) <= seq;
  }

  /** What is known of the rest, for the next owner. */
  get dropped(): string {
    return JSON.stringify([
      this.#droppedSeq,
      this.#droppedOfZero,
      this.#droppedOfOthers,
      this.#dropped,
    ]);
  }

  /** When the oldest message came that is kept. */
  get oldestAt(): number {
    return Math.min(this.#notifications[0]?.at ?? Infinity, this.#answers[0]?.at ?? Infinity);
  }

  /** What the last message takes. */
  get lastBytes(): number {
    return Math.max(this.#notifications.at(-1)?.bytes ?? 0, this.#answers.at(-1)?.bytes ?? 0);
  }

  #drop(queue: readonly KeptMessage[], at: number): KeptMessage {
    const message = queue[at] as KeptMessage;
    this.#bytes -= message.bytes;
    this.skip(message);
    return message;
  }

  #droppedOf(stream: number | undefined): number {
    if (stream === undefined) return this.#droppedSeq;
    if (stream === 0) return this.#droppedOfZero;
    const known = this.#dropped.filter(([own]) => own === stream).map(([, seq]) => seq);
    return known.length === 0 ? this.#droppedOfOthers : Math.max(...known);
  }
}

function readDropped(text: string | undefined): Dropped | undefined {
  const value = text === undefined ? undefined : parseJson(text);
  if (!Array.isArray(value)) return undefined;
  const [seq, ofZero, ofOthers, pairs] = value as readonly unknown[];
  const isRight =
    [seq, ofZero, ofOthers].every((place) => Number.isSafeInteger(place)) &&
    Array.isArray(pairs) &&
    pairs.every(
      (pair: unknown) =>
        Array.isArray(pair) && pair.length === 2 && pair.every(Number.isSafeInteger),
    );
  return isRight ? (value as Dropped) : undefined;
}
