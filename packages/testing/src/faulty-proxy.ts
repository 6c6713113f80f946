import { connect, type Socket } from 'node:net';
import {
  DIRECTIONS,
  FAULT_KINDS,
  checkFault,
  drawFault,
  type Direction,
  type Fault,
  type FaultKind,
} from './fault.js';
import { ProxiedConnection } from './proxied-connection.js';
import { HOST, Listener } from './listener.js';
import { checkDuration, checkWord } from './option-checks.js';
import {
  addressOf,
  anySeed,
  checkProxyOptions,
  resolveFaultOptions,
  type FaultyProxyOptions,
  type ResolvedFaultOptions,
} from './options.js';
import { createRandom, type Random } from './random.js';
import type { FaultyProxy, RandomFaultOptions } from './types.js';

/**
 * Starts a faulty proxy on a free port of 127.0.0.1. The faults follow from the seed alone:
 *
 * - those of a connection from the seed and the number of the connection, whatever the others do and
 *   however its bytes are split;
 * - those of `injectRandomFault` from the seed, the faults before and the open connections.
 *
 * @throws TypeError for an option that is wrong; Error if the system does not let it listen.
 */
export async function createFaultyProxy(options: FaultyProxyOptions): Promise<FaultyProxy> {
  const proxy = new TcpProxy(options);
  await proxy.resume();
  return proxy;
}

class TcpProxy implements FaultyProxy {
  readonly seed: number;
  readonly faults: Record<FaultKind, number>;
  readonly #target: { host: string; port: number };
  readonly #options: ResolvedFaultOptions;
  readonly #onFault: FaultyProxyOptions['onFault'];
  readonly #random: Random;
  readonly #connections = new Set<ProxiedConnection>();
  readonly #listener: Listener;
  #accepted = 0;
  #failedDials = 0;
  #automaticFaults = 0;
  /** Connections with an injected fault that has not happened yet. */
  readonly #pending = new Set<ProxiedConnection>();
  /** Faults that wait for a request of a method, in the order in which they were injected. */
  readonly #awaiting = new Map<string, Fault[]>();
  #refusal: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;
  #onEmpty: (() => void) | undefined;

  constructor(options: FaultyProxyOptions) {
    checkProxyOptions(options);
    const { target, seed = anySeed(), faults, onFault } = options;
    this.seed = seed;
    this.faults = Object.fromEntries(FAULT_KINDS.map((kind) => [kind, 0])) as typeof this.faults;
    this.#target = addressOf(target);
    this.#options = resolveFaultOptions(faults);
    this.#onFault = onFault;
    this.#random = createRandom(seed);
    this.#listener = new Listener((client) => this.#accept(client));
  }

  get origin(): string {
    return `http://${HOST}:${this.port}`;
  }

  get port(): number {
    return this.#listener.port;
  }

  get faultCount(): number {
    return Object.values(this.faults).reduce((sum, count) => sum + count, 0);
  }

  get acceptedConnections(): number {
    return this.#accepted;
  }

  get openConnections(): number {
    return this.#connections.size;
  }

  get failedDials(): number {
    return this.#failedDials;
  }

  get isRefusing(): boolean {
    return !this.#listener.isOpen;
  }

  injectFault(fault: Fault, { oldestShare = 0 }: RandomFaultOptions = {}): boolean {
    checkFault(fault);
    if (fault.method !== undefined) {
      this.#awaiting.set(fault.method, [...(this.#awaiting.get(fault.method) ?? []), fault]);
      return true;
    }
    const candidates = [...this.#connections].filter(
      (connection) => connection.canFail && !this.#pending.has(connection),
    );
    const takesOldest = this.#random.chance(oldestShare);
    const connection = candidates[takesOldest ? 0 : this.#random.below(candidates.length)];
    if (fault.kind === 'refuse' && fault.afterBytes === 0) {
      if (this.isRefusing) return false;
      this.#report(fault, 0);
      return true;
    }
    if (connection === undefined) return false;
    this.#pending.add(connection);
    connection.schedule(fault, () => {
      this.#pending.delete(connection);
      this.#report(fault, connection.number);
      return true;
    });
    return true;
  }

  injectRandomFault(options: RandomFaultOptions = {}): Fault | undefined {
    const fault = drawFault(this.#random, this.#options, options.withinBytes ?? 0);
    // One direction of a connection may have no more bytes.
    fault.countIn = 'both';
    return this.injectFault(fault, options) ? fault : undefined;
  }

  cutAll(how: 'reset' | 'finish' = 'reset'): void {
    checkWord('how', how, ['reset', 'finish']);
    for (const connection of this.#connections) {
      if (how === 'reset') connection.drop();
      else connection.finish();
    }
  }

  stallAll(direction: Direction | 'both' = 'both'): void {
    checkWord('direction', direction, [...DIRECTIONS, 'both']);
    for (const connection of this.#connections) connection.stall(direction);
  }

  refuse(durationMs = Infinity): void {
    if (durationMs !== Infinity) checkDuration('durationMs', durationMs);
    clearTimeout(this.#refusal);
    this.#listener.shut();
    if (durationMs === Infinity || this.#closing !== undefined) return;
    // If the port is taken, every connection is refused until resume(), which reports the error.
    this.#refusal = setTimeout(() => void this.#listener.open().catch(() => {}), durationMs);
  }

  async resume(): Promise<void> {
    if (this.#closing !== undefined) throw new Error('the proxy is closed');
    clearTimeout(this.#refusal);
    for (const connection of this.#connections) connection.unstall();
    await this.#listener.open();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    clearTimeout(this.#refusal);
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
    for (const connection of this.#connections) connection.drop();
    await this.#listener.close();
    if (this.#connections.size > 0) await empty;
  }

  #accept(client: Socket): void {
    if (this.#closing !== undefined) {
      client.destroy();
      return;
    }
    const number = ++this.#accepted;
    const target = connect({ ...this.#target, allowHalfOpen: true, noDelay: true });
    const connection: ProxiedConnection = new ProxiedConnection({
      number,
      client,
      target,
      awaited: () => [...this.#awaiting.keys()],
      onRequest: (method, on) => this.#scheduleAwaited(method, on),
      onOver: () => {
        this.#connections.delete(connection);
        this.#pending.delete(connection);
        if (this.#connections.size === 0) this.#onEmpty?.();
      },
    });
    this.#connections.add(connection);
    const failed = (): void => {
      this.#failedDials += 1;
    };
    target.once('error', failed);
    target.once('connect', () => target.off('error', failed));
    if (this.#options.everyBytes < Infinity)
      this.#scheduleNext(connection, createRandom(this.seed, number));
  }

  /** Schedules the fault that waited longest for a request of this method. */
  #scheduleAwaited(method: string, connection: ProxiedConnection): void {
    const [fault, ...rest] = this.#awaiting.get(method) ?? [];
    if (rest.length > 0) this.#awaiting.set(method, rest);
    else this.#awaiting.delete(method);
    if (fault === undefined) return;
    connection.schedule(fault, () => {
      this.#report(fault, connection.number);
      return true;
    });
  }

  /** Schedules the next automatic fault of a connection. */
  #scheduleNext(connection: ProxiedConnection, random: Random): void {
    const { everyBytes, max } = this.#options;
    const fault = drawFault(random, this.#options, Math.max(0, 2 * Math.floor(everyBytes) - 2));
    fault.afterBytes += 1;
    connection.schedule(fault, () => {
      if (this.#automaticFaults >= max) return false;
      this.#automaticFaults += 1;
      this.#report(fault, connection.number);
      this.#scheduleNext(connection, random);
      return true;
    });
  }

  #report(fault: Fault, connection: number): void {
    this.faults[fault.kind] += 1;
    if (fault.kind === 'refuse') this.refuse(fault.durationMs ?? 0);
    this.#onFault?.(fault, connection);
  }
}
