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
import { Link } from './link.js';
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
 * Starts a faulty proxy on a free port of 127.0.0.1. Which fault strikes which connection at which
 * byte follows from the seed alone: a connection's own faults from the seed and its number, whatever
 * the others do and however its bytes are split; `injectRandomFault` from the seed, what was drawn
 * before and which connections are open.
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
  readonly #links = new Set<Link>();
  readonly #listener: Listener;
  #accepted = 0;
  #failedDials = 0;
  #struckByThemselves = 0;
  /** Connections for whose byte an injected fault waits. */
  readonly #awaited = new Set<Link>();
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
    return this.#links.size;
  }

  get failedDials(): number {
    return this.#failedDials;
  }

  get isRefusing(): boolean {
    return !this.#listener.isOpen;
  }

  injectFault(fault: Fault, { oldestShare = 0 }: RandomFaultOptions = {}): boolean {
    checkFault(fault);
    const sound = [...this.#links].filter((link) => link.isSound && !this.#awaited.has(link));
    const takesOldest = this.#random.chance(oldestShare);
    const link = sound[takesOldest ? 0 : this.#random.below(sound.length)];
    if (fault.kind === 'refuse' && fault.afterBytes === 0) {
      if (this.isRefusing) return false;
      this.#struck(fault, 0);
      return true;
    }
    if (link === undefined) return false;
    this.#awaited.add(link);
    link.arm(fault, () => {
      this.#awaited.delete(link);
      this.#struck(fault, link.number);
      return true;
    });
    return true;
  }

  injectRandomFault(options: RandomFaultOptions = {}): Fault | undefined {
    const fault = drawFault(this.#random, this.#options, options.withinBytes ?? 0);
    // One direction of a connection may have nothing more to say.
    fault.countIn = 'both';
    return this.injectFault(fault, options) ? fault : undefined;
  }

  cutAll(how: 'reset' | 'finish' = 'reset'): void {
    checkWord('how', how, ['reset', 'finish']);
    for (const link of this.#links) {
      if (how === 'reset') link.drop();
      else link.finish();
    }
  }

  stallAll(direction: Direction | 'both' = 'both'): void {
    checkWord('direction', direction, [...DIRECTIONS, 'both']);
    for (const link of this.#links) link.stall(direction);
  }

  refuse(durationMs = Infinity): void {
    if (durationMs !== Infinity) checkDuration('durationMs', durationMs);
    clearTimeout(this.#refusal);
    this.#listener.shut();
    if (durationMs === Infinity || this.#closing !== undefined) return;
    // Were the port gone for good, every connection would be refused: what the next resume() says.
    this.#refusal = setTimeout(() => void this.#listener.open().catch(() => {}), durationMs);
  }

  async resume(): Promise<void> {
    if (this.#closing !== undefined) throw new Error('the proxy is closed');
    clearTimeout(this.#refusal);
    for (const link of this.#links) link.unstall();
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
    for (const link of this.#links) link.drop();
    await this.#listener.close();
    if (this.#links.size > 0) await empty;
  }

  #accept(client: Socket): void {
    if (this.#closing !== undefined) {
      client.destroy();
      return;
    }
    const number = ++this.#accepted;
    const target = connect({ ...this.#target, allowHalfOpen: true, noDelay: true });
    const link: Link = new Link({
      number,
      client,
      target,
      onOver: () => {
        this.#links.delete(link);
        this.#awaited.delete(link);
        if (this.#links.size === 0) this.#onEmpty?.();
      },
    });
    this.#links.add(link);
    const failed = (): void => {
      this.#failedDials += 1;
    };
    target.once('error', failed);
    target.once('connect', () => target.off('error', failed));
    if (this.#options.everyBytes < Infinity) this.#plan(link, createRandom(this.seed, number));
  }

  /** Arms the next fault of a connection's own. */
  #plan(link: Link, random: Random): void {
    const { everyBytes, max } = this.#options;
    const fault = drawFault(random, this.#options, Math.max(0, 2 * Math.floor(everyBytes) - 2));
    fault.afterBytes += 1;
    link.arm(fault, () => {
      if (this.#struckByThemselves >= max) return false;
      this.#struckByThemselves += 1;
      this.#struck(fault, link.number);
      this.#plan(link, random);
      return true;
    });
  }

  #struck(fault: Fault, connection: number): void {
    this.faults[fault.kind] += 1;
    if (fault.kind === 'refuse') this.refuse(fault.durationMs ?? 0);
    this.#onFault?.(fault, connection);
  }
}
