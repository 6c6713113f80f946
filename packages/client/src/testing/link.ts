import type { Socket } from 'node:net';
import type { Direction, Fault } from './fault.js';
import { Flow } from './flow.js';

/** What a link is made of. */
export interface LinkOptions {
  /** Counted from 1 as connections are accepted. */
  number: number;
  /** The side that was accepted. */
  client: Socket;
  /** The side that was dialled; it may be connecting. */
  target: Socket;
  /** Both sides are closed. */
  onOver: () => void;
}

/** One connection through the proxy: its two sockets, and a flow for each direction. */
export class Link {
  readonly number: number;
  readonly #client: Socket;
  readonly #target: Socket;
  readonly #toTarget: Flow;
  readonly #toClient: Flow;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #onOver: () => void;
  #openSides = 2;
  #cut = false;

  constructor({ number, client, target, onOver }: LinkOptions) {
    this.number = number;
    this.#client = client;
    this.#target = target;
    this.#onOver = onOver;
    this.#toTarget = new Flow({ source: client, sink: target, onStalledEnd: () => this.drop() });
    // The client of a stalled connection is not to learn that the other side has ended.
    this.#toClient = new Flow({
      source: target,
      sink: client,
      onStalledEnd: () => target.destroy(),
    });
    // What went wrong on a side shows in its 'close'.
    client.on('error', () => {});
    target.on('error', () => {});
    client.on('close', (hadError) => this.#closed(target, hadError));
    target.on('close', (hadError) => this.#closed(client, hadError));
    client.on('end', () => {
      // A client that ends has given up what was stalled, as far as anyone can tell; and to a side
      // that is gone nothing can be passed on.
      if (this.#toClient.isStalled || target.destroyed) this.drop();
    });
  }

  /** Whether a fault would make a difference: neither direction has ended, and one is not stalled. */
  get isSound(): boolean {
    if (this.#cut || this.#client.destroyed || this.#target.destroyed) return false;
    const flows = this.#flows('both');
    return flows.every((flow) => !flow.hasEnded) && flows.some((flow) => !flow.isStalled);
  }

  /** Has a fault strike at its byte, if it still may; that is asked just before. */
  arm(fault: Fault, mayStrike: () => boolean): void {
    const strike = (sink: Socket): void => {
      if (mayStrike()) this.#strike(fault, sink);
    };
    const { direction, countIn = direction, afterBytes } = fault;
    if (afterBytes === 0) {
      strike(direction === 'to-client' ? this.#client : this.#target);
      return;
    }
    const countdown = { bytesLeft: afterBytes, strike };
    for (const flow of this.#flows(countIn)) flow.count(countdown);
  }

  /** Resets both sides; what was passed on and not taken yet may be lost. */
  drop(): void {
    this.#cut = true;
    reset(this.#client);
    reset(this.#target);
  }

  /** Ends both sides properly, and drops all that comes. */
  finish(): void {
    this.#cut = true;
    this.#toTarget.finish();
    this.#toClient.finish();
  }

  stall(direction: Direction | 'both'): void {
    for (const flow of this.#flows(direction)) flow.stall();
    if (this.#toTarget.hasEnded) this.drop();
  }

  /** Undoes stalls. */
  unstall(): void {
    for (const flow of this.#flows('both')) if (flow.isStalled) flow.unstall();
    // The other side has gone while nothing passed.
    if (this.#target.destroyed && !this.#toClient.hasEnded) this.drop();
  }

  #strike({ kind, direction, bothWays = false, durationMs = 0 }: Fault, sink: Socket): void {
    const held = bothWays ? 'both' : direction;
    switch (kind) {
      case 'reset':
        this.#resetAfter(sink);
        break;
      case 'finish':
        this.finish();
        break;
      case 'half-close':
        this.#cut = true;
        this.#flow(direction).finish();
        break;
      case 'stall':
        this.stall(held);
        break;
      case 'delay':
        for (const flow of this.#flows(held)) this.#delay(flow, durationMs);
        break;
      case 'refuse':
        break;
    }
  }

  /** Resets both sides once the operating system has everything that was passed on to this one. */
  #resetAfter(side: Socket): void {
    this.#cut = true;
    this.#toTarget.discard();
    this.#toClient.discard();
    if (side.writableLength === 0) this.drop();
    else side.write('', () => this.drop());
  }

  #delay(flow: Flow, durationMs: number): void {
    const release = flow.delay();
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      release();
    }, durationMs);
    this.#timers.add(timer);
  }

  #closed(other: Socket, hadError: boolean): void {
    this.#openSides -= 1;
    if (this.#openSides === 0) {
      for (const timer of this.#timers) clearTimeout(timer);
      this.#onOver();
    } else if (other === this.#client && this.#toClient.isStalled) {
      // Half-open: the client has to find out by itself.
    } else if (hadError) {
      reset(other);
    } else if (!other.readableEnded) {
      // What this side said before it closed is still to be passed on.
      other.destroySoon();
    }
  }

  #flow(direction: Direction): Flow {
    return direction === 'to-client' ? this.#toClient : this.#toTarget;
  }

  #flows(direction: Direction | 'both'): Flow[] {
    return direction === 'both' ? [this.#toTarget, this.#toClient] : [this.#flow(direction)];
  }
}

/** Closes a socket with RST where that is possible. Harmless on one that is closed. */
function reset(socket: Socket): void {
  if (socket.destroyed) return;
  // A socket that is being shut down, or is not connected yet, cannot be reset.
  if (socket.connecting || socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
