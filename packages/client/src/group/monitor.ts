/// <reference lib="esnext.disposable" preserve="true" />
import { Listeners } from '../client/listeners.js';
import { checkOptionNames, checkPositive, MAX_TIMER_MS } from '../connection/options.js';
import type { Group } from './group.js';
import type { Health } from '../health/health.js';
import type { ServerStatus } from './types.js';

/** Options of a monitor. */
export interface MonitorOptions {
  /** How often every server is asked, in milliseconds. Default 30 000. */
  intervalMs?: number;
  /** How long a server has to answer, in milliseconds. Default 5 000. */
  timeoutMs?: number;
  /** Whether a server that is down is connected to anew. Default `true`. */
  recover?: boolean;
}

/** A server is not as it was. */
export interface HealthChange {
  server: string;
  /** When that was found, in milliseconds since 1970. */
  at: number;
  /** How it is now. */
  health: Health;
  /** How it was when it was asked before; `undefined` the first time. */
  previous: Health | undefined;
}

/** What a monitor reports, by event name. */
export interface MonitorEvents {
  /** The status of a server is another than before, or known for the first time. */
  change: HealthChange;
}

/**
 * Watches over the servers of a group from now on, until it is stopped. A server that is disabled,
 * closed, or was never used is left alone. Like an open connection, it keeps the process alive.
 *
 * A server that is down is connected to anew when its connection has given up, or when it does not
 * answer although nothing is in flight on it. A connection that is coming back by itself is let do
 * so, and a server that is at work on calls is not cut off from them.
 *
 * @throws TypeError that names the option that is wrong.
 */
export function monitor(group: Group, options: MonitorOptions = {}): Monitor {
  return new Monitor(group, options);
}

/** Watches over the servers of a group; made by {@link monitor}. */
export class Monitor implements AsyncDisposable {
  readonly #group: Group;
  readonly #timeoutMs: number;
  readonly #recover: boolean;
  readonly #listeners: Listeners<MonitorEvents> = new Listeners(() => {});
  readonly #timer: NodeJS.Timeout;
  readonly #stopped = new AbortController();
  readonly #latest = new Map<string, Health>();
  /** The servers that are being asked, or connected to. */
  readonly #busy = new Map<string, Promise<void>>();

  /** Use {@link monitor}. */
  constructor(group: Group, options: MonitorOptions = {}) {
    checkOptionNames(options, ['intervalMs', 'timeoutMs', 'recover']);
    const { intervalMs = 30_000, timeoutMs = 5_000, recover = true } = options;
    checkPositive('intervalMs', intervalMs);
    checkPositive('timeoutMs', timeoutMs);
    if (typeof recover !== 'boolean') throw new TypeError('recover: neither true nor false');
    this.#group = group;
    this.#timeoutMs = timeoutMs;
    this.#recover = recover;
    this.#timer = setInterval(() => this.#look(), Math.min(intervalMs, MAX_TIMER_MS));
    queueMicrotask(() => this.#look());
  }

  /** How each server was when it was asked last, by name. */
  get health(): ReadonlyMap<string, Health> {
    return this.#latest;
  }

  /** Listens; the function returned stops listening. */
  on<Event extends keyof MonitorEvents>(
    event: Event,
    listener: (payload: MonitorEvents[Event]) => void,
  ): () => void {
    return this.#listeners.add(event, listener);
  }

  /** Stops; fulfilled when nothing is under way any more. The group stays as it is. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopped.abort();
    await Promise.all(this.#busy.values());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #look(): void {
    if (this.#stopped.signal.aborted) return;
    const watched = this.#group.status().filter(isWatched);
    const names = new Set(watched.map(({ name }) => name));
    for (const name of this.#latest.keys()) if (!names.has(name)) this.#latest.delete(name);
    for (const name of names) {
      if (this.#busy.has(name)) continue;
      this.#busy.set(
        name,
        this.#check(name).finally(() => this.#busy.delete(name)),
      );
    }
  }

  async #check(name: string): Promise<void> {
    const { signal } = this.#stopped;
    // It may have left the group meanwhile, or the monitor was stopped.
    const health = await this.#group
      .health(name, { timeoutMs: this.#timeoutMs, signal })
      .catch(() => undefined);
    const now = this.#statusOf(name);
    if (signal.aborted || health === undefined || now === undefined || !isWatched(now)) return;
    const previous = this.#latest.get(name);
    this.#latest.set(name, health);
    if (health.status !== previous?.status) {
      this.#listeners.emit('change', { server: name, at: Date.now(), health, previous });
    }
    const isDown = health.status === 'down';
    if (this.#recover && isDown && isStuck(now, previous)) {
      // What comes of it is an event of the group, and seen the next time.
      await this.#group.reconnect(name, { signal }).catch(() => {});
    }
  }

  #statusOf(name: string): ServerStatus | undefined {
    return this.#group.status().find((status) => status.name === name);
  }
}

/** A server that nobody uses is not connected to in order to find out how it is. */
function isWatched({ disabled, state }: ServerStatus): boolean {
  return !disabled && state !== 'idle' && state !== 'closed';
}

/** Nothing but a new connection will help: one that was just lost finds that out by itself. */
function isStuck({ state, inFlight }: ServerStatus, previous: Health | undefined): boolean {
  if (state === 'resting') return true;
  return state === 'ready' && inFlight === 0 && previous?.status === 'down';
}
