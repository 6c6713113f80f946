import type { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';

/** How much is read of a blocked direction, like the buffer of a socket. */
const MAX_HELD_BYTES = 65_536;

/** Counts bytes down to a fault. Two flows may share one. */
export interface Countdown {
  bytesLeft: number;
  /** Called at the last byte, with the socket that it was written to. */
  onZero: (sink: Socket) => void;
}

/** Looks at bytes before they pass. What it finds is called once so many of them have passed. */
export type Watch = (chunk: Buffer) => { afterBytes: number; onPassed: () => void } | undefined;

/** What a flow is made of. */
export interface FlowOptions {
  source: Socket;
  sink: Socket;
  /** The source has ended; the sink has not, because the flow is stalled. */
  onStalledEnd: () => void;
  /** Default: nobody looks. */
  watch?: Watch;
}

/**
 * One direction of a connection. It writes the bytes of its source to its sink as fast as the sink
 * takes them, and keeps no more of them than the buffer of a socket.
 */
export class Flow {
  readonly #source: Socket;
  readonly #sink: Socket;
  readonly #onStalledEnd: () => void;
  readonly #watch: Watch | undefined;
  #countdowns: Countdown[] = [];
  #beforeNext: ((sink: Socket) => void)[] = [];
  #held: Buffer[] = [];
  #heldBytes = 0;
  #stalled = false;
  #delays = 0;
  #discarding = false;
  #sourceEnded = false;

  constructor({ source, sink, onStalledEnd, watch }: FlowOptions) {
    this.#source = source;
    this.#sink = sink;
    this.#watch = watch;
    this.#onStalledEnd = onStalledEnd;
    source.on('data', (chunk: Buffer) => this.#take(chunk));
    source.on('end', () => this.#end());
    sink.on('drain', () => this.#regulate());
  }

  /** Whether it is stalled. */
  get isStalled(): boolean {
    return this.#stalled;
  }

  /** Whether its source has ended. */
  get hasEnded(): boolean {
    return this.#sourceEnded;
  }

  /** Counts the bytes from now on. */
  count(countdown: Countdown): void {
    this.#countdowns.push(countdown);
  }

  /** Calls back before the next byte passes, with the socket that it is for. */
  beforeNext(onByte: (sink: Socket) => void): void {
    this.#beforeNext.push(onByte);
  }

  /** Lets no more bytes pass. */
  stall(): void {
    this.#stalled = true;
    if (this.#sourceEnded && !this.#sink.writableEnded) this.#onStalledEnd();
  }

  /** Undoes a stall. */
  unstall(): void {
    this.#stalled = false;
    this.#release();
  }

  /** Lets no bytes pass until the returned function is called. */
  delay(): () => void {
    this.#delays += 1;
    return () => {
      this.#delays -= 1;
      this.#release();
    };
  }

  /** Drops the bytes that it holds and all further ones. */
  discard(): void {
    this.#discarding = true;
    this.#countdowns = [];
    this.#beforeNext = [];
    this.#held = [];
    this.#heldBytes = 0;
    this.#regulate();
  }

  /** Ends the sink, and drops all further bytes of the source. */
  finish(): void {
    this.discard();
    this.#sink.end();
  }

  get #isBlocked(): boolean {
    return this.#stalled || this.#delays > 0;
  }

  #take(chunk: Buffer): void {
    if (this.#discarding || this.#sink.destroyed) return;
    if (this.#isBlocked) {
      this.#held.push(chunk);
      this.#heldBytes += chunk.length;
      this.#regulate();
      return;
    }
    const onByte = this.#beforeNext.shift();
    if (onByte !== undefined) {
      onByte(this.#sink);
      this.#take(chunk);
      return;
    }
    const found = this.#watch?.(chunk);
    if (found === undefined) {
      this.#count(chunk);
      return;
    }
    this.#count(chunk.subarray(0, found.afterBytes));
    found.onPassed();
    if (chunk.length > found.afterBytes) this.#take(chunk.subarray(found.afterBytes));
  }

  #count(chunk: Buffer): void {
    // A shared countdown may have reached zero in the other flow.
    this.#countdowns = this.#countdowns.filter(({ bytesLeft }) => bytesLeft > 0);
    const left = Math.min(...this.#countdowns.map(({ bytesLeft }) => bytesLeft));
    this.#pass(chunk.subarray(0, left));
    if (chunk.length > left) this.#take(chunk.subarray(left));
  }

  #pass(chunk: Buffer): void {
    this.#sink.write(chunk);
    this.#regulate();
    for (const countdown of this.#countdowns) countdown.bytesLeft -= chunk.length;
    // A fault may add the next countdown, and may end all of them.
    for (const { onZero } of this.#countdowns.filter(({ bytesLeft }) => bytesLeft === 0)) {
      if (!this.#discarding) onZero(this.#sink);
    }
  }

  #end(): void {
    this.#sourceEnded = true;
    if (this.#stalled) this.#onStalledEnd();
    else if (this.#delays === 0) this.#sink.end();
  }

  #release(): void {
    if (this.#isBlocked) return;
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    for (const chunk of held) this.#take(chunk);
    if (this.#sourceEnded && !this.#isBlocked) this.#sink.end();
    this.#regulate();
  }

  #regulate(): void {
    const isFull = this.#isBlocked
      ? this.#heldBytes >= MAX_HELD_BYTES
      : this.#sink.writableNeedDrain && !this.#sink.destroyed;
    if (isFull && !this.#discarding) this.#source.pause();
    else this.#source.resume();
  }
}
