import { Buffer } from 'node:buffer';
import type { Writable } from 'node:stream';
import type { RequestId } from '@modelcontextprotocol/client';
import { ConnectionLostError, LongwireError, type Certainty } from '../../errors.js';
import type { TrafficCounts } from '../../http/traffic-counts.js';

/** How many characters of queued lines are written at once. */
const BATCH_CHARACTERS = 65_536;

/** One line to write. */
export interface QueuedWrite {
  /** Without its end. */
  text: string;
  /** Of a request, which can be withdrawn until it is written. */
  requestId: RequestId | undefined;
  /** Called when it is about to be written. */
  onWire: (() => void) | undefined;
}

interface Pending extends QueuedWrite {
  resolve: () => void;
  reject: (error: LongwireError) => void;
}

/**
 * Writes lines to a pipe, in order. Nothing is written before the pipe has taken the last write: a line
 * that is still queued has certainly not been sent.
 */
export class WriteQueue {
  readonly #pipe: Writable;
  readonly #counts: TrafficCounts;
  readonly #queued: Pending[] = [];
  #isWriting = false;

  constructor(pipe: Writable, counts: TrafficCounts) {
    this.#pipe = pipe;
    this.#counts = counts;
  }

  /**
   * Sends one line; fulfilled when the pipe has taken it.
   *
   * @throws ConnectionLostError if the pipe broke; LongwireError `closed` if the line was withdrawn; the
   * reason of `drop`.
   */
  send(line: QueuedWrite): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#queued.push({ ...line, resolve, reject });
      this.#write();
    });
  }

  /** Withdraws a request; false if it was written, or never queued. */
  withdraw(requestId: RequestId): boolean {
    const index = this.#queued.findIndex((line) => line.requestId === requestId);
    const [line] = index === -1 ? [] : this.#queued.splice(index, 1);
    line?.reject(
      new LongwireError('the request was cancelled', { code: 'closed', certainty: 'not-sent' }),
    );
    return line !== undefined;
  }

  /** Drops everything that is queued. */
  drop(reason: LongwireError): void {
    for (const { reject } of this.#queued.splice(0)) reject(reason);
  }

  #write(): void {
    if (this.#isWriting || this.#queued.length === 0) return;
    this.#isWriting = true;
    const batch = this.#nextBatch();
    for (const { onWire } of batch) onWire?.();
    const text = batch.map((line) => `${line.text}\n`).join('');
    this.#counts.sent(Buffer.byteLength(text), batch.length);
    this.#pipe.write(text, (cause) => {
      if (cause != null) {
        // Nothing is written after that: the queued lines are dropped as not sent.
        this.#failed(batch, cause);
        return;
      }
      this.#isWriting = false;
      for (const { resolve } of batch) resolve();
      this.#write();
    });
  }

  /** With EPIPE the end of the last line was refused: nobody can have read it as a message. */
  #failed(batch: Pending[], cause: NodeJS.ErrnoException): void {
    const last = cause.code === 'EPIPE' ? batch.pop() : undefined;
    for (const { reject } of batch) reject(brokenPipe('outcome-unknown', cause));
    last?.reject(brokenPipe('not-sent', cause));
  }

  #nextBatch(): Pending[] {
    let size = 0;
    const end = this.#queued.findIndex(({ text }) => (size += text.length) > BATCH_CHARACTERS);
    // A larger line is written alone.
    return this.#queued.splice(0, end === -1 ? this.#queued.length : Math.max(1, end));
  }
}

function brokenPipe(certainty: Certainty, cause: Error): LongwireError {
  return new ConnectionLostError(
    `the pipe to the server process broke while a message was written: ${cause.message}`,
    { certainty, cause },
  );
}
