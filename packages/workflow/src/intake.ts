import { randomUUID } from 'node:crypto';
import { toJson } from '@longwire/client';
import type { Trigger } from './definition.js';
import { createMatcher, createServerMatcher, type WorkflowEvent } from './event.js';
import { notSent, type Failure } from './failure.js';
import type { Journal } from './journal.js';
import { KnownKeys, MAX_KEY_AGE_MS } from './known-keys.js';
import type { Chain } from './loop-guard.js';
import type { Run } from './run.js';
import type { RunTask } from './run-runner.js';

/** The result of taking an event. */
export interface Taken {
  /** How many runs it begins; debounced ones may still be superseded. */
  runs: number;
  /** An event with this id was taken before. */
  isDuplicate: boolean;
  /** How many triggers match it, regardless of their conditions. */
  triggers: number;
}

/** How an event enters. */
export interface Entry {
  /** The key by which it is recognised; undefined: it cannot come twice. */
  identity: string | undefined;
  chain: Chain;
  /** The event of a dead run is retried, for one trigger only. */
  retry?: { trigger: string; run: string };
}

/** How events are taken. */
export interface IntakeOptions {
  triggers: readonly Trigger[];
  maxChain: number;
  /** Where they are written first. */
  journal: Journal | undefined;
  /** Called with each run that is written, in order. */
  onRun: (task: RunTask, trigger: Trigger) => void;
  /** For debouncing: the run that this one replaces. */
  supersede: (trigger: Trigger, run: Run) => Run | undefined;
  onDuplicate: () => void;
}

/** An event that is to be taken. */
interface Arrival extends Entry {
  event: WorkflowEvent;
  resolve: (taken: Taken) => void;
  reject: (error: unknown) => void;
}

/**
 * Decides which runs an event begins, and writes them to the journal before they begin. Events are
 * taken in order; those that arrive meanwhile are written in one batch.
 */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #known = new KnownKeys();
  readonly #matchers: readonly ((event: WorkflowEvent) => boolean)[];
  #arrivals: Arrival[] = [];
  #working: Promise<void> | undefined;
  #seq = 0;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#matchers = options.triggers.map(({ filter, from }) => {
      const [isMeant, isFrom] = [createMatcher(filter), createServerMatcher(from)];
      return (event) => isMeant(event) && isFrom(event.server);
    });
  }

  /** How many events wait. */
  get waiting(): number {
    return this.#arrivals.length;
  }

  /** Whether an event is being taken. */
  get isBusy(): boolean {
    return this.#working !== undefined;
  }

  /** Restores the state of a journal. */
  restore(known: { lastSeq: number; seen: readonly (readonly [string, number])[] }): void {
    this.#seq = known.lastSeq;
    this.#known.restore(known.seen);
  }

  /** The triggers that match an event, regardless of their conditions. */
  triggersOf(event: WorkflowEvent, { retry }: Pick<Entry, 'retry'>): readonly Trigger[] {
    return this.#options.triggers.filter(
      ({ name }, index) =>
        (retry === undefined || retry.trigger === name) && this.#matchers[index]?.(event) === true,
    );
  }

  /** Takes an event; fulfilled when it is written. */
  take(event: WorkflowEvent, entry: Entry): Promise<Taken> {
    return new Promise((resolve, reject) => {
      this.#arrivals.push({ event, ...entry, resolve, reject });
      this.#working ??= this.#work().finally(() => {
        this.#working = undefined;
      });
    });
  }

  /** Fulfilled when nothing is being taken. */
  async settled(): Promise<void> {
    while (this.#working !== undefined) await this.#working;
  }

  async #work(): Promise<void> {
    while (this.#arrivals.length > 0) await this.#takeAll(this.#arrivals.splice(0));
  }

  async #takeAll(arrivals: readonly Arrival[]): Promise<void> {
    const seen = new Map<string, number>();
    const taken: { arrival: Arrival; begun: Begun[]; isDuplicate: boolean }[] = [];
    try {
      for (const arrival of arrivals) {
        const isDuplicate = this.#isDuplicate(arrival, seen);
        const begun = isDuplicate ? [] : await this.#begin(arrival, seen);
        if (isDuplicate) this.#options.onDuplicate();
        taken.push({ arrival, begun, isDuplicate });
      }
      const runs = taken.flatMap(({ begun }) => begun);
      const superseded = runs.flatMap(({ task: { run, failure }, trigger }) => {
        // A retried event has had its silence.
        if (failure !== undefined || run.retryOf !== undefined) return [];
        return this.#options.supersede(trigger, run) ?? [];
      });
      await this.#write([...runs.map(({ task }) => task.run), ...superseded], seen);
    } catch (error) {
      for (const key of seen.keys()) this.#known.delete(key);
      for (const { reject } of arrivals) reject(error);
      return;
    }
    for (const { arrival, begun, isDuplicate } of taken) {
      for (const { task, trigger } of begun) this.#options.onRun(task, trigger);
      const triggers = this.triggersOf(arrival.event, arrival).length;
      arrival.resolve({ runs: begun.length, isDuplicate, triggers });
    }
  }

  async #write(runs: readonly Run[], seen: ReadonlyMap<string, number>): Promise<void> {
    const { journal } = this.#options;
    const removed = this.#known.removeOldest();
    if (journal === undefined) return;
    // If a run was begun and superseded at once, the later record wins.
    await journal.take(runs, [...seen]);
    if (removed.length > 0) await journal.removeKeys(removed);
  }

  #isDuplicate({ identity }: Arrival, seen: Map<string, number>): boolean {
    return identity !== undefined && !this.#addKey(identity, Infinity, seen);
  }

  async #begin(arrival: Arrival, seen: Map<string, number>): Promise<Begun[]> {
    const { event, chain, retry } = arrival;
    const begun: Begun[] = [];
    for (const trigger of this.triggersOf(event, arrival)) {
      const decision = await this.#decide(trigger, event, chain);
      if (decision === undefined) continue;
      const { key, failure } = decision;
      const isTaken = trigger.dedupeMs !== undefined && failure === undefined;
      const known = JSON.stringify(['key', trigger.name, key ?? null]);
      const isNew = !isTaken || this.#addKey(known, trigger.dedupeMs ?? 0, seen);
      if (!isNew && retry === undefined) {
        this.#options.onDuplicate();
        continue;
      }
      this.#seq += 1;
      const { name, fingerprint } = trigger;
      const run: Run = {
        seq: this.#seq,
        id: randomUUID(),
        trigger: name,
        fingerprint,
        event,
        ...(key !== undefined && { key }),
        ...(retry !== undefined && { retryOf: retry.run }),
        chain,
      };
      const task = { run, trigger, earlier: [], resumed: false, ...(failure && { failure }) };
      begun.push({ task, trigger });
    }
    return begun;
  }

  /** Whether a trigger takes an event, and under which key; or why it fails. */
  async #decide(
    { where, key, name }: Trigger,
    event: WorkflowEvent,
    { depth }: Chain,
  ): Promise<{ key?: string; failure?: Failure } | undefined> {
    try {
      if (where !== undefined && !(await where.test({ event }))) return undefined;
      const { maxChain } = this.#options;
      if (depth >= maxChain) return { failure: looped(name, event, maxChain) };
      if (key === undefined) return {};
      const value = await key.evaluate({ event });
      // With one shared key, events without a key would wait for each other, or count as duplicates.
      if (value === undefined || value === null) return { failure: keyless(name, key.source) };
      return { key: typeof value === 'string' ? value : toJson(value) };
    } catch (error) {
      return { failure: notSent('expression', (error as Error).message) };
    }
  }

  /** Whether a key is new; if so, it is stored. */
  #addKey(key: string, forMs: number, seen: Map<string, number>): boolean {
    const until = Date.now() + Math.min(forMs, MAX_KEY_AGE_MS);
    if (!this.#known.add(key, until)) return false;
    seen.set(key, until);
    return true;
  }
}

/** A run that an event begins. */
interface Begun {
  task: RunTask;
  trigger: Trigger;
}

function keyless(trigger: string, key: string): Failure {
  return notSent('expression', `the key of ${trigger} finds nothing in the event: ${key}`);
}

function looped(trigger: string, { name, server }: WorkflowEvent, maxChain: number): Failure {
  return notSent(
    'loop',
    `${trigger} seems to cause the events that it is about: ${maxChain} runs followed each other ` +
      `within a minute, each on a ${name} that came from ${server} during or right after the call ` +
      'of the one before; narrow its "where" or "from", or raise "maxChain" if they have nothing ' +
      'to do with each other',
  );
}
