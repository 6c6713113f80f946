import type { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';

/** What is read from a held direction, like the buffer of a socket; then no more is read. */
const MAX_HELD_BYTES = 65_536;

/** Something that is to happen at a certain byte. Two flows may count down together. */
export interface Countdown {
  bytesLeft: number;
  /** Told to whom the last of the bytes went. */
  strike: (sink: Socket) => void;
}

/** What a flow is made of. */
export interface FlowOptions {
  source: Socket;
  sink: Socket;
  /** The source has ended, and the sink was not told because the flow is stalled. */
  onStalledEnd: () => void;
}

/**
 * One direction of a connection. What it takes from its source it passes on as fast as the sink
 * takes it; it keeps no more than one socket's buffer of it.
 */
export class Flow {
  readonly #source: Socket;
  readonly #sink: Socket;
  readonly #onStalledEnd: () => void;
  #countdowns: Countdown[] = [];
  #held: Buffer[] = [];
  #heldBytes = 0;
  #stalled = false;
  #delays = 0;
  #discarding = false;
  #sourceEnded = false;

  constructor({ source, sink, onStalledEnd }: FlowOptions) {
    this.#source = source;
    this.#sink = sink;
    this.#onStalledEnd = onStalledEnd;
    source.on('data', (chunk: Buffer) => this.#take(chunk));
    source.on('end', () => this.#end());
    sink.on('drain', () => this.#regulate());
  }

  /** Whether nothing passes, for good. */
  get isStalled(): boolean {
    return this.#stalled;
  }

  /** Whether its source has nothing more to say. */
  get hasEnded(): boolean {
    return this.#sourceEnded;
  }

  /** Counts what passes from now on. */
  count(countdown: Countdown): void {
    this.#countdowns.push(countdown);
  }

  /** Nothing passes any more. */
  stall(): void {
    this.#stalled = true;
    if (this.#sourceEnded && !this.#sink.writableEnded) this.#onStalledEnd();
  }

  /** Undoes a stall. */
  unstall(): void {
    this.#stalled = false;
    this.#release();
  }

  /** Nothing passes until the function returned is called. */
  delay(): () => void {
    this.#delays += 1;
    return () => {
      this.#delays -= 1;
      this.#release();
    };
  }

  /** Drops what it holds and all that comes. */
  discard(): void {
    this.#discarding = true;
    this.#countdowns = [];
    this.#held = [];
    this.#heldBytes = 0;
    this.#regulate();
  }

  /** Ends the sink's side, and drops all that comes from the source. */
  finish(): void {
    this.discard();
    this.#sink.end();
  }

  get #isHeld(): boolean {
    return this.#stalled || this.#delays > 0;
  }

  #take(chunk: Buffer): void {
    if (this.#discarding || this.#sink.destroyed) return;
    if (this.#isHeld) {
      this.#held.push(chunk);
      this.#heldBytes += chunk.length;
      this.#regulate();
      return;
    }
    // What the other flow has counted down to the end has struck there.
    this.#countdowns = this.#countdowns.filter(({ bytesLeft }) => bytesLeft > 0);
    const left = Math.min(...this.#countdowns.map(({ bytesLeft }) => bytesLeft));
    this.#pass(chunk.subarray(0, left));
    if (chunk.length > left) this.#take(chunk.subarray(left));
  }

  #pass(chunk: Buffer): void {
    this.#sink.write(chunk);
    this.#regulate();
    for (const countdown of this.#countdowns) countdown.bytesLeft -= chunk.length;
    // What strikes may set off the next countdown, and may end all of them.
    for (const { strike } of this.#countdowns.filter(({ bytesLeft }) => bytesLeft === 0)) {
      if (!this.#discarding) strike(this.#sink);
    }
  }

  #end(): void {
    this.#sourceEnded = true;
    if (this.#stalled) this.#onStalledEnd();
    else if (this.#delays === 0) this.#sink.end();
  }

  #release(): void {
    if (this.#isHeld) return;
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    for (const chunk of held) this.#take(chunk);
    if (this.#sourceEnded && !this.#isHeld) this.#sink.end();
    this.#regulate();
  }

  #regulate(): void {
    const isFull = this.#isHeld
      ? this.#heldBytes >= MAX_HELD_BYTES
      : this.#sink.writableNeedDrain && !this.#sink.destroyed;
    if (isFull && !this.#discarding) this.#source.pause();
    else this.#source.resume();
  }
}
