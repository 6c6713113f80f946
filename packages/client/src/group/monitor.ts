/// <reference lib="esnext.disposable" preserve="true" />
import { Listeners } from '../client/listeners.js';
import type { Group } from './contract.js';
import type { Health } from '../health/health.js';
import type { ServerStatus } from './types.js';
import { checkOptionNames, checkPositive, MAX_TIMER_MS } from '../options/checks.js';

/** Options of a monitor. */
export interface MonitorOptions {
  /** How often every server is asked, in milliseconds. Default 30 000. */
  intervalMs?: number;
  /** How long a server has to answer, in milliseconds. Default 5 000. */
  timeoutMs?: number;
  /** Whether a server that is down gets a new connection. Default `true`. */
  recover?: boolean;
}

/** The health of a server changed. */
export interface HealthChange {
  server: string;
  /** When that was found, in milliseconds since 1970. */
  at: number;
  /** How it is now. */
  health: Health;
  /** How it was at the check before; `undefined` at the first one. */
  previous: Health | undefined;
}

/** What a monitor reports, by event name. */
export interface MonitorEvents {
  /** The status of a server changed, or is known for the first time. */
  change: HealthChange;
}

/**
 * Checks the health of a group's servers from now on, until it is stopped.
 *
 * - A server that is disabled, closed, or was never used is not checked.
 * - A server that is down gets a new connection if its connection rests, or if it does not answer
 *   although no call is in flight on it.
 * - A connection that reconnects by itself is left alone, and so is a server that works on calls.
 * - Like an open connection, a monitor keeps the process alive.
 *
 * @throws TypeError that names the option that is wrong.
 */
export function createMonitor(group: Group, options: MonitorOptions = {}): Monitor {
  return new Monitor(group, options);
}

/** Checks the health of a group's servers; made by {@link createMonitor}. */
export class Monitor implements AsyncDisposable {
  readonly #group: Group;
  readonly #timeoutMs: number;
  readonly #recover: boolean;
  readonly #listeners: Listeners<MonitorEvents> = new Listeners({ change: true }, () => {});
  readonly #timer: NodeJS.Timeout;
  readonly #stopped = new AbortController();
  readonly #latest = new Map<string, Health>();
  /** The servers that are being asked, or connected to. */
  readonly #busy = new Map<string, Promise<void>>();

  /** Use {@link createMonitor}. */
  constructor(group: Group, options: MonitorOptions = {}) {
    checkOptionNames(options, ['intervalMs', 'timeoutMs', 'recover']);
    const { intervalMs = 30_000, timeoutMs = 5_000, recover = true } = options;
    checkPositive('intervalMs', intervalMs);
    checkPositive('timeoutMs', timeoutMs);
    if (typeof recover !== 'boolean') throw new TypeError('recover: neither true nor false');
    this.#group = group;
    this.#timeoutMs = timeoutMs;
    this.#recover = recover;
    this.#timer = setInterval(() => this.#checkAll(), Math.min(intervalMs, MAX_TIMER_MS));
    queueMicrotask(() => this.#checkAll());
  }

  /** How each server was at its latest check, by name. */
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

  #checkAll(): void {
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
      // An event of the group says whether it succeeded, and so does the next check.
      await this.#group.reconnect(name, { signal }).catch(() => {});
    }
  }

  #statusOf(name: string): ServerStatus | undefined {
    return this.#group.status().find((status) => status.name === name);
  }
}

/** A server that nobody uses is not dialled for a check. */
function isWatched({ disabled, state }: ServerStatus): boolean {
  return !disabled && state !== 'idle' && state !== 'closed';
}

/** Only a new connection helps. A connection that was just lost notices that by itself. */
function isStuck({ state, inFlight }: ServerStatus, previous: Health | undefined): boolean {
  if (state === 'resting') return true;
  return state === 'ready' && inFlight === 0 && previous?.status === 'down';
}
