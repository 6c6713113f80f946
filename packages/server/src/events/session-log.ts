import { EventQueue } from './event-queue.js';
import type { LogExcerpt, LoggedEvent } from './event-log.js';

/** A message that is kept, as few objects: most of them are never read, and all of them grow old. */
class KeptEvent {
  readonly seq: number;
  readonly stream: number;
  readonly bytes: number;
  /** When it was sent, in whole milliseconds. */
  readonly at: number;
  readonly #data: string;
  readonly #kind: NonNullable<LoggedEvent['about']>['kind'] | undefined;
  readonly #id: string | undefined;

  constructor({ seq, stream, data, about }: LoggedEvent, bytes: number, at: number) {
    this.seq = seq;
    this.stream = stream;
    this.bytes = bytes;
    this.at = at;
    this.#data = data;
    this.#kind = about?.kind;
    this.#id = about?.id;
  }

  read(): LoggedEvent {
    const event = { seq: this.seq, stream: this.stream, data: this.#data };
    const [kind, id] = [this.#kind, this.#id];
    return kind === undefined || id === undefined ? event : { ...event, about: { kind, id } };
  }
}

/** So many of the last messages that are not kept are known with their streams. */
const MAX_DROPPED = 64;

/** What is kept of one session, and what is known of the rest. */
export class SessionLog {
  readonly #notifications = new EventQueue<KeptEvent>();
  /** Answers and requests: a client without a cursor is sent nothing else. */
  readonly #answers = new EventQueue<KeptEvent>();
  #bytes = 0;
  /** The last message that is not kept: of all streams, of the one for no request, of others. */
  #droppedSeq = 0;
  #droppedOfZero = 0;
  #droppedOfOthers = 0;
  /** A ring of those that were dropped last, of streams for one request each. */
  #dropped: { stream: number; seq: number }[] | undefined;
  #nextDropped = 0;

  /** Bytes that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Keeps a message. */
  append(event: LoggedEvent, bytes: number, at: number): void {
    this.#bytes += bytes;
    const queue = event.about === undefined ? this.#notifications : this.#answers;
    queue.push(new KeptEvent(event, bytes, at));
  }

  /** Notes a message that is not kept. */
  skip({ seq, stream }: Pick<LoggedEvent, 'seq' | 'stream'>): void {
    this.#droppedSeq = Math.max(this.#droppedSeq, seq);
    if (stream === 0) {
      this.#droppedOfZero = Math.max(this.#droppedOfZero, seq);
      return;
    }
    const dropped = (this.#dropped ??= []);
    const at = this.#nextDropped;
    const oldest = dropped[at];
    if (oldest === undefined) {
      dropped.push({ stream, seq });
    } else {
      this.#droppedOfOthers = Math.max(this.#droppedOfOthers, oldest.seq);
      oldest.stream = stream;
      oldest.seq = seq;
    }
    this.#nextDropped = (at + 1) % MAX_DROPPED;
  }

  /**
   * Drops the oldest messages until so many bytes are left: notifications first, because an answer that
   * is lost leaves its caller waiting.
   */
  trim(maxBytes: number): void {
    for (const queue of [this.#notifications, this.#answers]) {
      while (this.#bytes > maxBytes && queue.size > 0) this.#dropFirst(queue);
    }
  }

  /** Drops what was sent before this time. */
  expire(before: number): void {
    for (const queue of [this.#notifications, this.#answers]) {
      while ((queue.first?.at ?? Infinity) < before) this.#dropFirst(queue);
    }
  }

  /** What came after `seq`: of one stream, or of all. */
  readAfter(seq: number, stream: number | undefined): LogExcerpt {
    const isAfter = (kept: KeptEvent): boolean => kept.seq > seq;
    const events = [...this.#notifications.from(isAfter), ...this.#answers.from(isAfter)]
      .filter((kept) => stream === undefined || kept.stream === stream)
      .toSorted((a, b) => a.seq - b.seq)
      .map((kept) => kept.read());
    return { events, isComplete: this.#droppedOf(stream) <= seq };
  }

  /** The last message of a stream that is not kept; of one that lost something long ago, at least that. */
  #droppedOf(stream: number | undefined): number {
    if (stream === undefined) return this.#droppedSeq;
    if (stream === 0) return this.#droppedOfZero;
    const known = this.#dropped?.filter((one) => one.stream === stream) ?? [];
    return known.length === 0 ? this.#droppedOfOthers : Math.max(...known.map(({ seq }) => seq));
  }

  #dropFirst(queue: EventQueue<KeptEvent>): void {
    const kept = queue.shift();
    if (kept === undefined) return;
    this.#bytes -= kept.bytes;
    this.skip(kept);
  }
}
