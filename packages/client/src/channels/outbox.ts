import { Buffer } from 'node:buffer';
import type { Writable } from 'node:stream';
import type { RequestId } from '@modelcontextprotocol/client';
import { ConnectionLostError, LongwireError, type Certainty } from '../errors.js';
import type { TrafficCounts } from './traffic-counts.js';

/** How many characters of waiting lines go out in one write. */
const BATCH_CHARACTERS = 65_536;

/** One line that is to go out. */
export interface OutboxLine {
  /** Without its end. */
  text: string;
  /** Of a request, which can be withdrawn until it goes out. */
  requestId: RequestId | undefined;
  /** Called when it is about to go out. */
  onWire: (() => void) | undefined;
}

interface Waiting extends OutboxLine {
  resolve: () => void;
  reject: (error: LongwireError) => void;
}

/**
 * Lines on their way into a pipe, in order. Nothing is given to the pipe before it has taken what
 * it was given last: what still waits here has certainly not been sent.
 */
export class Outbox {
  readonly #pipe: Writable;
  readonly #counts: TrafficCounts;
  readonly #waiting: Waiting[] = [];
  #isWriting = false;

  constructor(pipe: Writable, counts: TrafficCounts) {
    this.#pipe = pipe;
    this.#counts = counts;
  }

  /**
   * Sends one line; fulfilled when the pipe has taken it.
   *
   * @throws ConnectionLostError if the pipe broke meanwhile; LongwireError `closed` if the line was
   * withdrawn; what it was dropped with.
   */
  send(line: OutboxLine): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...line, resolve, reject });
      this.#write();
    });
  }

  /** Takes back a request; false if it has gone out, or was never there. */
  withdraw(requestId: RequestId): boolean {
    const index = this.#waiting.findIndex((line) => line.requestId === requestId);
    const [line] = index === -1 ? [] : this.#waiting.splice(index, 1);
    line?.reject(
      new LongwireError('the request was given up', { code: 'closed', certainty: 'not-sent' }),
    );
    return line !== undefined;
  }

  /** Drops everything that has not gone out. */
  drop(reason: LongwireError): void {
    for (const { reject } of this.#waiting.splice(0)) reject(reason);
  }

  #write(): void {
    if (this.#isWriting || this.#waiting.length === 0) return;
    this.#isWriting = true;
    const batch = this.#nextBatch();
    for (const { onWire } of batch) onWire?.();
    const text = batch.map((line) => `${line.text}\n`).join('');
    this.#counts.sent(Buffer.byteLength(text), batch.length);
    this.#pipe.write(text, (cause) => {
      if (cause != null) {
        // Nothing is written after that: what still waits has not been sent, and is dropped so.
        this.#failed(batch, cause);
        return;
      }
      this.#isWriting = false;
      for (const { resolve } of batch) resolve();
      this.#write();
    });
  }

  /** The end of the last line was refused with EPIPE: nobody can have read it as a message. */
  #failed(batch: Waiting[], cause: NodeJS.ErrnoException): void {
    const last = cause.code === 'EPIPE' ? batch.pop() : undefined;
    for (const { reject } of batch) reject(brokenPipe('outcome-unknown', cause));
    last?.reject(brokenPipe('not-sent', cause));
  }

  #nextBatch(): Waiting[] {
    let size = 0;
    const end = this.#waiting.findIndex(({ text }) => (size += text.length) > BATCH_CHARACTERS);
    // One that is larger by itself goes alone.
    return this.#waiting.splice(0, end === -1 ? this.#waiting.length : Math.max(1, end));
  }
}

function brokenPipe(certainty: Certainty, cause: Error): LongwireError {
  return new ConnectionLostError(
    `the pipe to the server process broke while a message was written: ${cause.message}`,
    { certainty, cause },
  );
}
