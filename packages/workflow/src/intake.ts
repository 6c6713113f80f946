import { randomUUID } from 'node:crypto';
import type { Trigger } from './definition.js';
import { createMatcher, createServerMatcher, type WorkflowEvent } from './event.js';
import { notSent, type Failure } from './failure.js';
import type { Journal } from './journal.js';
import { KnownKeys, REMEMBERED_MS } from './known-keys.js';
import type { Chain } from './loop-guard.js';
import type { Run } from './run.js';
import type { RunTask } from './run-runner.js';

/** What became of an event that was taken. */
export interface Taken {
  /** How many runs it begins; debounced ones may still be superseded. */
  runs: number;
  /** An event of this id was taken before. */
  isDuplicate: boolean;
}

/** How events are taken. */
export interface IntakeOptions {
  triggers: readonly Trigger[];
  maxChain: number;
  /** Where they are written down first. */
  journal: Journal | undefined;
  /** Given a run that is written down, in order. */
  onRun: (task: RunTask, trigger: Trigger) => void;
  /** The runs that no longer wait for their time, because this one does: for debouncing. */
  supersede: (trigger: Trigger, run: Run) => Run | undefined;
  onDuplicate: () => void;
}

/** An event that is to be taken. */
interface Arrival {
  event: WorkflowEvent;
  /** Whether the event has an id of its own, by which it may come twice. */
  isNamed: boolean;
  chain: Chain;
  resolve: (taken: Taken) => void;
  reject: (error: unknown) => void;
}

/**
 * Decides which runs an event begins, and writes them down before any of them does. Events are
 * taken in order, and what came meanwhile is written down at once.
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

  /** Begins with what a journal remembers. */
  restore(known: { lastSeq: number; seen: readonly (readonly [string, number])[] }): void {
    this.#seq = known.lastSeq;
    this.#known.restore(known.seen);
  }

  /** Whether any trigger is about an event; its condition apart. */
  isMeant(event: WorkflowEvent): boolean {
    return this.#matchers.some((matches) => matches(event));
  }

  /** Takes an event; fulfilled when it is written down. */
  take(event: WorkflowEvent, given: { isNamed: boolean; chain: Chain }): Promise<Taken> {
    return new Promise((resolve, reject) => {
      this.#arrivals.push({ event, ...given, resolve, reject });
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
      const superseded = runs.flatMap(({ task: { run, refusal }, trigger }) => {
        const other = refusal === undefined ? this.#options.supersede(trigger, run) : undefined;
        return other === undefined ? [] : [other];
      });
      await this.#write([...runs.map(({ task }) => task.run), ...superseded], seen);
    } catch (error) {
      for (const key of seen.keys()) this.#known.delete(key);
      for (const { reject } of arrivals) reject(error);
      return;
    }
    for (const { arrival, begun, isDuplicate } of taken) {
      for (const { task, trigger } of begun) this.#options.onRun(task, trigger);
      arrival.resolve({ runs: begun.length, isDuplicate });
    }
  }

  async #write(runs: readonly Run[], seen: ReadonlyMap<string, number>): Promise<void> {
    const { journal } = this.#options;
    const forgotten = this.#known.overflow();
    if (journal === undefined) return;
    // Of a run that was begun and superseded at once, the last word counts.
    await journal.take(runs, [...seen]);
    if (forgotten.length > 0) await journal.forget(forgotten);
  }

  #isDuplicate({ event, isNamed }: Arrival, seen: Map<string, number>): boolean {
    if (!isNamed) return false;
    return !this.#remember(JSON.stringify(['event', event.server, event.id]), Infinity, seen);
  }

  async #begin({ event, chain }: Arrival, seen: Map<string, number>): Promise<Begun[]> {
    const begun: Begun[] = [];
    for (const [index, trigger] of this.#options.triggers.entries()) {
      if (this.#matchers[index]?.(event) !== true) continue;
      const verdict = await this.#judge(trigger, event, chain);
      if (verdict === undefined) continue;
      const { key, refusal } = verdict;
      const isTaken = trigger.dedupeMs !== undefined && refusal === undefined;
      const known = JSON.stringify(['key', trigger.name, key ?? null]);
      if (isTaken && !this.#remember(known, trigger.dedupeMs ?? 0, seen)) {
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
        chain,
      };
      const task = { run, trigger, earlier: [], resumed: false, ...(refusal && { refusal }) };
      begun.push({ task, trigger });
    }
    return begun;
  }

  /** Whether a trigger takes an event, and under which key; or why it cannot. */
  async #judge(
    { where, key, name }: Trigger,
    event: WorkflowEvent,
    { depth }: Chain,
  ): Promise<{ key?: string; refusal?: Failure } | undefined> {
    try {
      if (where !== undefined && !(await where.test({ event }))) return undefined;
      const { maxChain } = this.#options;
      if (depth >= maxChain) return { refusal: looped(name, event, maxChain) };
      if (key === undefined) return {};
      const value = await key.evaluate({ event });
      // As one key, all that have none would wait for each other, or count as the same.
      if (value === undefined || value === null) return { refusal: keyless(name, key.source) };
      return { key: typeof value === 'string' ? value : JSON.stringify(value) };
    } catch (error) {
      return { refusal: notSent('expression', (error as Error).message) };
    }
  }

  /** Whether a key is new; then it is remembered from now on. */
  #remember(key: string, forMs: number, seen: Map<string, number>): boolean {
    const until = Date.now() + Math.min(forMs, REMEMBERED_MS);
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
