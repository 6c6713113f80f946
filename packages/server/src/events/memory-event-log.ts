import { checkCount, checkDurationMs, checkNames } from '../check-options.js';
import type { EventLog, LogExcerpt, LoggedEvent } from './event-log.js';
import { SessionLog } from './session-log.js';

/** How much is kept so that lost streams can be resumed. */
export interface EventLogOptions {
  /**
   * Bytes of one session. Beyond that its oldest notifications are dropped first, then its oldest
   * answers and requests. A message that is longer is sent all the same, but not kept.
   * Default: 2 097 152 (2 MiB).
   */
  readonly maxBytes?: number;
  /**
   * Bytes of all sessions. Beyond that, sessions that hold more than an even share lose their oldest
   * messages, so that one of them cannot push out the messages of others. Default: 134 217 728 (128 MiB).
   */
  readonly maxTotalBytes?: number;
  /** How long a message is kept, in milliseconds. Default: 300 000 (5 minutes). */
  readonly maxAgeMs?: number;
}

/** The same, checked and filled in. */
export type ResolvedEventLogOptions = Required<EventLogOptions>;

/**
 * Checks the option `eventLog`.
 *
 * @throws TypeError that names what is wrong.
 */
export function resolveEventLog(options: EventLogOptions = {}): ResolvedEventLogOptions {
  const given = checkNames('eventLog', options, ['maxBytes', 'maxTotalBytes', 'maxAgeMs']);
  const {
    maxBytes = 2 * 1024 * 1024,
    maxTotalBytes = 128 * 1024 * 1024,
    maxAgeMs = 300_000,
  } = given as EventLogOptions;
  return {
    maxBytes: checkCount('eventLog.maxBytes', maxBytes),
    maxTotalBytes: checkCount('eventLog.maxTotalBytes', maxTotalBytes),
    maxAgeMs: checkDurationMs('eventLog.maxAgeMs', maxAgeMs),
  };
}

/** What a message costs beside its text. */
const EVENT_BYTES = 128;
/** After a mount has reached its limit, it drops so much more, so that it need not do so each time. */
const REDUCED_SHARE = 0.9;
/** How often messages that are too old are dropped, at most. */
const MAX_SWEEP_MS = 30_000;

/**
 * The log of one node.
 *
 * What is dropped is not lost for streams that are open: they were sent it. A session that lost something
 * remembers that it did, until it is deleted.
 */
export class MemoryEventLog implements EventLog {
  readonly #options: ResolvedEventLogOptions;
  readonly #onLoss: (sessionId: string) => void;
  readonly #sessions = new Map<string, SessionLog>();
  /** Sessions of which it was told. */
  readonly #lossy = new Set<string>();
  #bytes = 0;
  #sweep: NodeJS.Timeout | undefined;

  /**
   * @param onLoss called once for a session that is over a limit of bytes: what it loses cannot be resumed.
   * @throws TypeError when an option is wrong.
   */
  constructor(options: EventLogOptions = {}, onLoss: (sessionId: string) => void = () => {}) {
    this.#options = resolveEventLog(options);
    this.#onLoss = onLoss;
  }

  get bytes(): number {
    return this.#bytes;
  }

  append(sessionId: string, event: LoggedEvent): void {
    let log = this.#sessions.get(sessionId);
    if (log === undefined) this.#sessions.set(sessionId, (log = new SessionLog()));
    const { maxBytes, maxTotalBytes, maxAgeMs } = this.#options;
    const bytes = Buffer.byteLength(event.data) + EVENT_BYTES;
    if (bytes > maxBytes || bytes > maxTotalBytes) {
      log.skip(event);
      return this.#noteLoss(sessionId);
    }
    const at = Math.floor(performance.now());
    const before = log.bytes;
    log.append(event, bytes, at);
    log.expire(at - maxAgeMs);
    if (log.bytes > maxBytes) {
      log.trim(maxBytes);
      this.#noteLoss(sessionId);
    }
    this.#bytes += log.bytes - before;
    if (this.#bytes > maxTotalBytes) this.#reduce(maxTotalBytes * REDUCED_SHARE);
    this.#sweepLater();
  }

  readAfter(sessionId: string, seq: number, stream?: number): LogExcerpt {
    const log = this.#sessions.get(sessionId);
    // A client that saw a message of this session saw one that is not known here.
    if (log === undefined) return { events: [], isComplete: seq === 0 };
    this.#change(log, () => log.expire(performance.now() - this.#options.maxAgeMs));
    return log.readAfter(seq, stream);
  }

  delete(sessionId: string): void {
    this.#bytes -= this.#sessions.get(sessionId)?.bytes ?? 0;
    this.#sessions.delete(sessionId);
    this.#lossy.delete(sessionId);
    this.#stopSweepIfEmpty();
  }

  #noteLoss(sessionId: string): void {
    if (this.#lossy.has(sessionId)) return;
    this.#lossy.add(sessionId);
    this.#onLoss(sessionId);
  }

  /** Changes what is kept of a session, and counts the bytes. */
  #change(log: SessionLog, change: () => void): void {
    const before = log.bytes;
    change();
    this.#bytes += log.bytes - before;
  }

  /** Drops the oldest messages of those sessions that hold more than an even share. */
  #reduce(maxBytes: number): void {
    const logs = [...this.#sessions].filter(([, log]) => log.bytes > 0);
    const share = maxBytes / logs.length;
    for (const [sessionId, log] of logs) {
      const excess = this.#bytes - maxBytes;
      if (excess <= 0) return;
      if (log.bytes <= share) continue;
      this.#change(log, () => log.trim(Math.max(share, log.bytes - excess)));
      this.#noteLoss(sessionId);
    }
  }

  #sweepLater(): void {
    const { maxAgeMs } = this.#options;
    if (this.#sweep !== undefined || maxAgeMs === Infinity) return;
    this.#sweep = setInterval(
      () => {
        const before = performance.now() - maxAgeMs;
        for (const log of this.#sessions.values()) this.#change(log, () => log.expire(before));
        this.#stopSweepIfEmpty();
      },
      Math.max(1, Math.min(MAX_SWEEP_MS, maxAgeMs / 2)),
    ).unref();
  }

  #stopSweepIfEmpty(): void {
    if (this.#bytes > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }
}
