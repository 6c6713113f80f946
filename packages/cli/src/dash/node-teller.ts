import type { RecordedLine } from '@longwire/recording';
import type { PageMessage, SendToPage } from './page-messages.js';
import type { PictureExcerpt } from './picture-excerpt.js';

/** How often lines are sent, in milliseconds. */
const BATCH_MS = 100;
/** How much may wait, in characters of JSON: what happens faster is not sent. */
const MAX_WAITING_CHARS = 128 * 1024;
/** How often all is sent anew at most, in milliseconds. */
const PICTURE_MS = 3_000;
/** Whoever looks says so again within this time, in milliseconds. */
const EXPIRY_MS = 20_000;

/** What a teller is made with. */
export interface NodeTellerOptions {
  readonly node: string;
  readonly look: string;
  readonly send: SendToPage;
  readonly excerpt: () => PictureExcerpt | undefined;
  /** Nobody looks any more. */
  readonly over: () => void;
}

/**
 * Tells the page of another node what happens here: all of it at first, then lines. Where more happens than
 * can be sent, lines are left out and counted, and all is told anew.
 */
export class NodeTeller {
  readonly #options: NodeTellerOptions;
  #lines: RecordedLine[] = [];
  #chars = 0;
  #number = 0;
  #isBehind = true;
  #missed = 0;
  #isSending = false;
  #shownAt = -Infinity;
  #renewedAt = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(options: NodeTellerOptions) {
    this.#options = options;
    void this.flush();
  }

  get look(): string {
    return this.#options.look;
  }

  /** It is still looked at; `again` where what was told has not come. */
  renew(again: boolean): void {
    this.#renewedAt = performance.now();
    if (!again) return;
    this.#fallBehind();
    this.#flushSoon();
  }

  /** Takes the next line, which has so many characters. */
  add(line: RecordedLine, chars: number): void {
    this.#lines.push(line);
    this.#chars += chars;
    if (this.#isBehind || this.#chars > MAX_WAITING_CHARS) this.#fallBehind();
    this.#flushSoon();
  }

  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  /** Sends what waits. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#isSending || this.#isOver) return;
    const now = performance.now();
    if (now - this.#renewedAt > EXPIRY_MS) return this.#options.over();
    const message = this.#next(now);
    if (message === undefined) return;
    this.#isSending = true;
    // It fails while the store of the cluster is away.
    const isThere = await this.#options.send(this.#options.node, message).catch(() => undefined);
    this.#isSending = false;
    if (isThere === false) return this.#options.over();
    if (isThere === undefined) {
      this.#missed += message.kind === 'lines' ? message.lines.length : message.missed;
      this.#fallBehind();
    }
    if (this.#isBehind || this.#lines.length > 0) this.#flushSoon();
  }

  #next(now: number): Extract<PageMessage, { kind: 'picture' | 'lines' }> | undefined {
    const { look } = this.#options;
    if (!this.#isBehind) {
      const lines = this.#lines;
      if (lines.length === 0) return undefined;
      this.#lines = [];
      this.#chars = 0;
      return { kind: 'lines', look, number: ++this.#number, lines };
    }
    if (now - this.#shownAt < PICTURE_MS) {
      this.#flushSoon();
      return undefined;
    }
    const excerpt = this.#options.excerpt();
    if (excerpt === undefined) return undefined;
    const missed = this.#missed;
    this.#missed = 0;
    this.#isBehind = false;
    this.#shownAt = now;
    return { kind: 'picture', look, number: ++this.#number, excerpt, missed };
  }

  #fallBehind(): void {
    this.#isBehind = true;
    this.#missed += this.#lines.length;
    this.#lines = [];
    this.#chars = 0;
  }

  #flushSoon(): void {
    if (this.#isOver) return;
    const waitMs = this.#isBehind ? this.#shownAt + PICTURE_MS - performance.now() : BATCH_MS;
    this.#timer ??= setTimeout(() => void this.flush(), Math.max(BATCH_MS, waitMs)).unref();
  }
}
