import type { Socket } from 'node:net';
import type { Direction, Fault } from './fault.js';
import { Flow, type Watch } from './flow.js';
import { MethodWatch } from './method-watch.js';

/** What a connection through the proxy is made of. */
export interface ProxiedConnectionOptions {
  /** Counted from 1 as connections are accepted. */
  number: number;
  /** The accepted side. */
  client: Socket;
  /** The dialed side; it may be connecting. */
  target: Socket;
  /** Methods that a fault waits for. */
  awaited: () => readonly string[];
  /** A request of an awaited method has come. */
  onRequest: (method: string, connection: ProxiedConnection) => void;
  /** Both sides are closed. */
  onOver: () => void;
}

/** One connection through the proxy: its two sockets, and a flow for each direction. */
export class ProxiedConnection {
  readonly number: number;
  readonly #client: Socket;
  readonly #target: Socket;
  readonly #toTarget: Flow;
  readonly #toClient: Flow;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #onOver: () => void;
  #openSides = 2;
  #cut = false;

  constructor(options: ProxiedConnectionOptions) {
    const { number, client, target, onOver } = options;
    this.number = number;
    this.#client = client;
    this.#target = target;
    this.#onOver = onOver;
    this.#toTarget = new Flow({
      source: client,
      sink: target,
      onStalledEnd: () => this.drop(),
      watch: this.#watchRequests(options),
    });
    // The client of a stalled connection does not learn that the other side has ended.
    this.#toClient = new Flow({
      source: target,
      sink: client,
      onStalledEnd: () => target.destroy(),
    });
    // An error of a side is handled in its 'close'.
    client.on('error', () => {});
    target.on('error', () => {});
    client.on('close', (hadError) => this.#closed(target, hadError));
    target.on('close', (hadError) => this.#closed(client, hadError));
    client.on('end', () => {
      // A client that ends does not wait for stalled bytes any more, and a closed target takes none.
      if (this.#toClient.isStalled || target.destroyed) this.drop();
    });
  }

  /** Whether a fault would have an effect: neither direction has ended, and one is not stalled. */
  get canFail(): boolean {
    if (this.#cut || this.#client.destroyed || this.#target.destroyed) return false;
    const flows = this.#flows('both');
    return flows.every((flow) => !flow.hasEnded) && flows.some((flow) => !flow.isStalled);
  }

  /** Schedules a fault at its byte. `mayHappen` is called just before. */
  schedule(fault: Fault, mayHappen: () => boolean): void {
    const onZero = (sink: Socket): void => {
      if (mayHappen()) this.#apply(fault, sink);
    };
    const { direction, countIn = direction, afterBytes, method } = fault;
    if (afterBytes === 0 && method !== undefined && countIn === 'to-client') {
      this.#toClient.beforeNext(onZero);
      return;
    }
    if (afterBytes === 0) {
      onZero(direction === 'to-client' ? this.#client : this.#target);
      return;
    }
    const countdown = { bytesLeft: afterBytes, onZero };
    for (const flow of this.#flows(countIn)) flow.count(countdown);
  }

  /** Resets both sides; bytes that the other side has not read yet may be lost. */
  drop(): void {
    this.#cut = true;
    reset(this.#client);
    reset(this.#target);
  }

  /** Ends both sides properly, and drops all further bytes. */
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
    // The target has closed while the connection was stalled.
    if (this.#target.destroyed && !this.#toClient.hasEnded) this.drop();
  }

  #watchRequests({ awaited, onRequest }: ProxiedConnectionOptions): Watch {
    const watch = new MethodWatch();
    return (chunk) => {
      const found = watch.find(chunk, awaited());
      if (found === undefined) return undefined;
      const { method, afterBytes } = found;
      return { afterBytes, onPassed: () => onRequest(method, this) };
    };
  }

  #apply({ kind, direction, bothWays = false, durationMs = 0 }: Fault, sink: Socket): void {
    const blocked = bothWays ? 'both' : direction;
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
        this.stall(blocked);
        break;
      case 'delay':
        for (const flow of this.#flows(blocked)) this.#delay(flow, durationMs);
        break;
      case 'refuse':
        break;
    }
  }

  /** Resets both sides once the operating system has taken everything that was written to this one. */
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
      // Half-open: the client is not told.
    } else if (hadError) {
      reset(other);
    } else if (!other.readableEnded) {
      // The bytes that this side sent before it closed are still delivered.
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

/** Closes a socket, with RST if that is possible. Harmless on a closed one. */
function reset(socket: Socket): void {
  if (socket.destroyed) return;
  // A socket that is being shut down, or is not connected yet, cannot be reset.
  if (socket.connecting || socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
