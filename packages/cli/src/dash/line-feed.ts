import { Buffer } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';

/** How often lines are sent, in milliseconds. */
const BATCH_MS = 100;
/** How often a stream says that it is there, in milliseconds. The page takes 25 s without it for a dead connection. */
const HEARTBEAT_MS = 10_000;
/** An event and no comment: a page is not told of comments. It has no id, as nothing is resumed from it. */
const BEAT = 'event: beat\ndata: {}\n\n';
/** How much of what was sent is kept for a reader that comes back. */
const MAX_KEPT_BYTES = 4 * 1024 * 1024;
/** How much may wait for one reader; beyond that, it is too slow. */
const MAX_READER_BYTES = 8 * 1024 * 1024;

/** How long a good-bye may take, in milliseconds. */
const MAX_CLOSING_MS = 500;

/** What a feed is made with. */
export interface LineFeedOptions {
  /** The picture of now as JSON, with what the page needs beside it. */
  readonly snapshot: () => string;
  /** The clock, in milliseconds since 1970. */
  readonly now: () => number;
  /** How much may wait for one reader. Default 8 MiB. */
  readonly maxReaderBytes?: number;
}

/** An event that was sent, and how many lines it has. */
interface SentEvent {
  readonly sequence: number;
  /** Encoded once, for all readers, and outside of the heap. */
  readonly bytes: Buffer;
  readonly lines: number;
}

/** Who reads, and how many lines were not sent because it is behind. */
interface Reader {
  readonly out: Writable;
  /** How large the snapshot is that it got last: that may wait, too. */
  snapshotBytes: number;
  isBehind: boolean;
  missed: number;
}

/**
 * Sends a snapshot to everyone who begins to read, and all lines from then on, as server-sent events. A
 * reader that comes back goes on where it was. One that is too slow misses lines, is told how many, and
 * gets a new snapshot: nobody waits for it, and what waits for it is bounded.
 */
export class LineFeed {
  /** Told when the first reader has come, and when the last one is gone. */
  onRead: ((isRead: boolean) => void) | undefined;
  readonly #options: Required<LineFeedOptions>;
  readonly #readers = new Set<Reader>();
  /** Ids of another run of the server mean nothing here. */
  readonly #run = randomUUID().slice(0, 8);
  readonly #heartbeat: NodeJS.Timeout;
  #sequence = 0;
  #kept: SentEvent[] = [];
  #keptBytes = 0;
  #pending: string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: LineFeedOptions) {
    this.#options = { maxReaderBytes: MAX_READER_BYTES, ...options };
    this.#heartbeat = setInterval(() => {
      for (const { out, isBehind } of this.#readers) if (!isBehind) out.write(BEAT);
    }, HEARTBEAT_MS).unref();
  }

  /** Adds a line, which is sent soon. The snapshot has it already. */
  add(line: string): void {
    if (this.#isClosed) return;
    this.#pending.push(line);
    this.#timer ??= setTimeout(() => this.#flush(), BATCH_MS);
  }

  /** Sends something beside the lines. */
  send(event: string, data: object): void {
    this.#flush();
    this.#broadcast(event, JSON.stringify(data), 0);
  }

  /** Everything is another now: all readers get a new snapshot. */
  reset(): void {
    this.#flush();
    this.#kept = [];
    this.#keptBytes = 0;
    this.#sequence++;
    const snapshot = this.#snapshotEvent();
    for (const reader of this.#readers) if (!reader.isBehind) show(reader, snapshot);
  }

  /** Sends to a reader until it goes. `lastEventId` is what it read last, if it comes back. */
  attach(out: Writable, lastEventId?: string): void {
    // Nobody is told of the end of what has ended already.
    if (out.destroyed) return;
    this.#flush();
    if (this.#isClosed) {
      out.end(this.#byeEvent());
      return;
    }
    const reader: Reader = { out, snapshotBytes: 0, isBehind: false, missed: 0 };
    this.#readers.add(reader);
    if (this.#readers.size === 1) this.onRead?.(true);
    out.once('close', () => this.#left(reader));
    out.on('error', () => this.#left(reader));
    const missed = this.#since(lastEventId);
    if (missed === undefined) show(reader, this.#snapshotEvent());
    else for (const { bytes } of missed) out.write(bytes);
  }

  /** Says good-bye to all readers, and ends their streams. Fulfilled when they have it, or are too slow. */
  async close(): Promise<void> {
    this.#flush();
    this.#isClosed = true;
    clearInterval(this.#heartbeat);
    const ending = new AbortController();
    const ended = [...this.#readers].map(async ({ out }) => {
      out.end(this.#byeEvent());
      await finished(out, { signal: ending.signal }).catch(() => out.destroy());
    });
    const timer = setTimeout(() => ending.abort(), MAX_CLOSING_MS);
    await Promise.all(ended);
    clearTimeout(timer);
    this.#readers.clear();
  }

  #left(reader: Reader): void {
    if (this.#readers.delete(reader) && this.#readers.size === 0) this.onRead?.(false);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#pending.length === 0) return;
    const lines = this.#pending;
    this.#pending = [];
    this.#broadcast('lines', `[${lines.join(',')}]`, lines.length);
  }

  #broadcast(event: string, data: string, lines: number): void {
    const sequence = ++this.#sequence;
    const bytes = eventBytes(event, data, this.#id());
    this.#kept.push({ sequence, bytes, lines });
    this.#keptBytes += bytes.length;
    while (this.#keptBytes > MAX_KEPT_BYTES)
      this.#keptBytes -= this.#kept.shift()?.bytes.length ?? 0;
    for (const reader of this.#readers) {
      if (reader.isBehind) reader.missed += lines;
      else if (reader.out.writableLength > this.#options.maxReaderBytes + reader.snapshotBytes) {
        reader.isBehind = true;
        reader.missed = lines;
        reader.out.once('drain', () => this.#catchUp(reader));
      } else reader.out.write(bytes);
    }
  }

  #catchUp(reader: Reader): void {
    if (!this.#readers.has(reader)) return;
    this.#flush();
    const gap = { type: 'gap', at: this.#options.now(), count: reader.missed };
    reader.isBehind = false;
    if (gap.count > 0) reader.out.write(eventBytes('lines', JSON.stringify([gap]), this.#id()));
    show(reader, this.#snapshotEvent());
  }

  /** What was sent after an event; `undefined` where that is not known any more. */
  #since(lastEventId: string | undefined): readonly SentEvent[] | undefined {
    const [run, digits] = lastEventId?.split('-') ?? [];
    const last = Number(digits);
    if (run !== this.#run || !Number.isSafeInteger(last) || last > this.#sequence) return undefined;
    const first = this.#kept[0]?.sequence ?? this.#sequence + 1;
    return last < first - 1 ? undefined : this.#kept.filter(({ sequence }) => sequence > last);
  }

  #byeEvent(): Buffer {
    return eventBytes('bye', '{}', this.#id());
  }

  #snapshotEvent(): Buffer {
    return eventBytes('snapshot', this.#options.snapshot(), this.#id());
  }

  #id(): string {
    return `${this.#run}-${this.#sequence}`;
  }
}

function show(reader: Reader, snapshot: Buffer): void {
  reader.snapshotBytes = snapshot.length;
  reader.out.write(snapshot);
}

function eventBytes(event: string, data: string, id: string): Buffer {
  return Buffer.from(`event: ${event}\nid: ${id}\ndata: ${data}\n\n`);
}
