import {
  SessionLostError,
  type EventLog,
  type Joining,
  type LogExcerpt,
  type LoggedEvent,
} from '@longwire/server';
import { tagOf } from '../keys.js';
import { LogIndex, type KeptMessage } from './log-index.js';
import type { OwnedSession } from './owned-session.js';
import { END_WAIT_MS, tooEarly, type OwnedSessions } from './owned-sessions.js';
import { APPEND, DELETE_LOG, DROP, READ, READ_ALL, UNHEARD } from './session-scripts.js';
import { endedText, EVENT_BYTES, messageText, readHead, readMessage } from './stored-forms.js';

/** After a limit is reached, so much more is dropped, so that it need not be done for each message. */
const REDUCED_SHARE = 0.9;
/** How often messages that are too old are dropped, at most. */
const MAX_SWEEP_MS = 30_000;
/** What is too old is dropped by whoever appends once it is so much older. */
const SLACK_SHARE = 0.125;
/** Redis keeps a log for longer than its messages count, so that no clock decides. */
const TTL_SLACK_MS = 5_000;
/** A script takes so many arguments at once. */
const CHUNK = 1_000;

/** What sessions said. The owner of a session appends, and says what is dropped; every node can read. */
export class RedisEventLog implements EventLog {
  readonly #sessions: OwnedSessions;
  readonly #options: Joining['eventLog'];
  readonly #onLoss: (sessionId: string) => void;
  readonly #published = new WeakSet<LoggedEvent>();
  readonly #sweep: NodeJS.Timeout | undefined;
  readonly #ttlMs: number;
  #bytes = 0;

  /** @param onLoss called once for a session that is over a limit of bytes. */
  constructor(
    sessions: OwnedSessions,
    options: Joining['eventLog'],
    onLoss: (sessionId: string) => void,
  ) {
    this.#sessions = sessions;
    this.#options = options;
    this.#onLoss = onLoss;
    sessions.onDisowned = (owned) => this.#forget(owned);
    const { maxAgeMs } = options;
    this.#ttlMs = Math.min(maxAgeMs + TTL_SLACK_MS, sessions.options.ttlMs);
    if (maxAgeMs === Infinity) return;
    const everyMs = Math.max(1, Math.min(MAX_SWEEP_MS, maxAgeMs / 2));
    this.#sweep = setInterval(() => this.#expireAll(), everyMs).unref();
  }

  /** Bytes that are kept for the sessions of this node. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether a message was published for its reader when it was kept. */
  wasPublished(event: LoggedEvent): boolean {
    return this.#published.has(event);
  }

  append(sessionId: string, event: LoggedEvent, isSent = false): Promise<void> {
    const owned = this.#sessions.get(sessionId);
    if (owned === undefined) return Promise.reject(new SessionLostError());
    const { connection } = this.#sessions.options;
    const { about, seq } = event;
    if (seq > Math.max(owned.index?.lastSeq ?? 0, owned.keptSeq) + 1) {
      return Promise.reject(tooEarly());
    }
    const answered = about?.kind === 'answer' ? owned.begun.get(about.id) : undefined;
    const at = Date.now();
    const text = messageText(sessionId, event, {
      at,
      digest: answered?.digest,
      seals: connection,
    });
    const reader = owned.readerOf(event.stream);
    const args = [
      seq,
      text,
      this.#note(owned, event, { at, text }) ? this.#ttlMs : 0,
      answered === undefined || about === undefined ? '' : `b:${about.id}`,
      reader?.channel ?? '',
      reader?.target ?? '',
      answered === undefined ? '' : endedText(answered, seq),
    ];
    if (isSent && answered !== undefined) this.#sessions.noteAnswered(answered);
    const appending = this.#sessions
      .fenced(owned, APPEND, args, { waitMs: END_WAIT_MS, soon: isSent })
      .then((reply) => {
        owned.keptSeq = Math.max(owned.keptSeq, seq);
        if (about !== undefined && answered !== undefined) owned.noteEnded(about.id);
        if (reader !== undefined && reply !== UNHEARD) this.#published.add(event);
      });
    this.#limit(owned, at);
    return appending;
  }

  async readAfter(sessionId: string, seq: number, stream?: number): Promise<LogExcerpt> {
    const owned = this.#sessions.get(sessionId);
    if (owned === undefined) return this.#readUnowned(sessionId, seq, stream);
    const { index } = owned;
    // A client that saw a message of this session saw one that is not known here.
    if (index === undefined) return { events: [], isComplete: seq === 0 };
    this.#drop(owned, index.expire(Date.now() - this.#options.maxAgeMs));
    const wanted = index.after(seq, stream);
    const isComplete = index.isCompleteAfter(seq, stream);
    const events = await this.#read(owned, wanted);
    return { events, isComplete: isComplete && events.length === wanted.length };
  }

  async delete(sessionId: string): Promise<void> {
    const owned = this.#sessions.get(sessionId);
    if (owned?.index === undefined) return;
    this.#forget(owned);
    try {
      await this.#sessions.fenced(owned, DELETE_LOG, [], { waitMs: END_WAIT_MS });
    } catch (error) {
      if (!(error instanceof SessionLostError)) throw error;
    }
  }

  /** A session is this node's: what is kept of it counts here. */
  adopt(owned: OwnedSession, index: LogIndex): void {
    owned.index = index;
    this.#bytes += index.bytes;
  }

  close(): void {
    clearInterval(this.#sweep);
  }

  #forget(owned: OwnedSession): void {
    this.#bytes -= owned.index?.bytes ?? 0;
    owned.index = undefined;
  }

  /** Takes note of a message; whether it is to be kept. */
  #note(
    owned: OwnedSession,
    event: LoggedEvent,
    { at, text }: { at: number; text: string },
  ): boolean {
    const { maxBytes, maxTotalBytes } = this.#options;
    const { seq, stream } = event;
    const bytes = Buffer.byteLength(text) + EVENT_BYTES;
    const isKept = bytes <= maxBytes && bytes <= maxTotalBytes;
    const index = (owned.index ??= new LogIndex());
    // It may come again, where it could not be kept at first.
    if (seq <= index.lastSeq) return isKept;
    if (isKept) {
      index.add({ seq, stream, bytes, at, isNotification: event.about === undefined });
      this.#bytes += bytes;
    } else {
      index.skip(event);
    }
    return isKept;
  }

  /** Drops what is over a limit. */
  #limit(owned: OwnedSession, at: number): void {
    const { index } = owned;
    if (index === undefined) return;
    const { maxBytes, maxTotalBytes, maxAgeMs } = this.#options;
    if (index.lacksNote) this.#drop(owned, [], true);
    if (index.oldestAt < at - maxAgeMs * (1 + SLACK_SHARE)) {
      this.#drop(owned, index.expire(at - maxAgeMs));
    }
    if (index.bytes > maxBytes) {
      this.#drop(owned, index.trim(Math.max(maxBytes * REDUCED_SHARE, index.lastBytes)));
      this.#noteLoss(owned);
    }
    if (this.#bytes > maxTotalBytes) this.#reduce(maxTotalBytes * REDUCED_SHARE);
  }

  /** Drops the oldest messages of those sessions that hold more than an even share. */
  #reduce(maxBytes: number): void {
    const all = [...this.#sessions.all()].filter(({ index }) => (index?.bytes ?? 0) > 0);
    const share = maxBytes / all.length;
    for (const owned of all) {
      const { index } = owned;
      const excess = this.#bytes - maxBytes;
      if (excess <= 0) return;
      if (index === undefined || index.bytes <= share) continue;
      this.#drop(owned, index.trim(Math.max(share, index.bytes - excess)));
      this.#noteLoss(owned);
    }
  }

  #expireAll(): void {
    const before = Date.now() - this.#options.maxAgeMs;
    for (const owned of this.#sessions.all()) {
      if (owned.index !== undefined) this.#drop(owned, owned.index.expire(before));
    }
  }

  /** Tells Redis what is dropped. */
  #drop(owned: OwnedSession, gone: readonly KeptMessage[], always = false): void {
    const { index } = owned;
    if (index === undefined || (gone.length === 0 && !always)) return;
    for (const { bytes } of gone) this.#bytes -= bytes;
    index.lacksNote = false;
    const note = index.dropped;
    for (let at = 0; at === 0 || at < gone.length; at += CHUNK) {
      const places = gone.slice(at, at + CHUNK).map(({ seq }) => seq);
      // If it fails, the messages go with their log.
      this.#sessions.fenced(owned, DROP, [this.#ttlMs, note, ...places]).catch(() => {});
    }
  }

  #noteLoss(owned: OwnedSession): void {
    if (owned.isLossy) return;
    owned.isLossy = true;
    this.#onLoss(owned.id);
  }

  async #read({ id, tag }: OwnedSession, wanted: readonly KeptMessage[]): Promise<LoggedEvent[]> {
    const { connection, keys } = this.#sessions.options;
    const both = [keys.session(tag), keys.log(tag)];
    const reads: Promise<LoggedEvent[]>[] = [];
    for (let at = 0; at < wanted.length; at += CHUNK) {
      const places = wanted.slice(at, at + CHUNK).map(({ seq }) => seq);
      const reading = connection.run(READ, both, places, { again: true });
      reads.push(reading.then((texts) => this.#events(id, places, texts as (string | null)[])));
    }
    return (await Promise.all(reads)).flat();
  }

  /** Those that are there and can be read. */
  #events(
    sessionId: string,
    places: readonly number[],
    texts: readonly (string | null | undefined)[],
  ): LoggedEvent[] {
    const { connection } = this.#sessions.options;
    return places.flatMap((seq, at) => {
      const text = texts[at];
      return (text == null ? undefined : readMessage(sessionId, { seq, text }, connection)) ?? [];
    });
  }

  async #readUnowned(sessionId: string, seq: number, stream?: number): Promise<LogExcerpt> {
    const { connection, keys } = this.#sessions.options;
    const tag = tagOf(sessionId);
    const both = [keys.session(tag), keys.log(tag)];
    const reply = await connection.run(READ_ALL, both, [], { again: true });
    const [last, fields] = reply as [string | null, string[]];
    if (last === null) return { events: [], isComplete: seq === 0 };
    const texts = new Map<number, string>();
    let dropped: string | undefined;
    for (let at = 0; at < fields.length; at += 2) {
      const [name = '', value = ''] = [fields[at], fields[at + 1]];
      if (name === 'd') dropped = value;
      else texts.set(Number(name), value);
    }
    const heads = [...texts].flatMap(([place, text]) => {
      return readHead(place, text.slice(0, text.indexOf('\n')), text.length) ?? [];
    });
    const index = LogIndex.from(heads, dropped, Number(last));
    index.expire(Date.now() - this.#options.maxAgeMs);
    const places = index.after(seq, stream).map((kept) => kept.seq);
    const found = places.map((place) => texts.get(place));
    const events = this.#events(sessionId, places, found);
    const areAllRead = heads.length === texts.size && events.length === places.length;
    return { events, isComplete: areAllRead && index.isCompleteAfter(seq, stream) };
  }
}
