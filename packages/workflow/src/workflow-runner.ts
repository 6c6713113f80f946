/// <reference lib="esnext.disposable" preserve="true" />
import { LongwireError } from '@longwire/client';
import { checkCloseOptions, type CutRun, type WorkflowCloseOptions } from './close-options.js';
import type { DeadLetterEvent } from './dead-letter.js';
import { DeadLetters } from './dead-letters.js';
import { Debouncer } from './debouncer.js';
import type { Trigger, Workflow } from './definition.js';
import { unknownName } from './errors.js';
import { eventFrom, eventOf, identityOf, type GivenEvent, type WorkflowEvent } from './event.js';
import { notSent } from './failure.js';
import { Intake, type Entry, type Taken } from './intake.js';
import { Journal } from './journal.js';
import { LoopGuard } from './loop-guard.js';
import { resolveOptions, type ResolvedWorkflowOptions, type WorkflowOptions } from './options.js';
import { takeRun, type RunOptions, type RunTask } from './run-runner.js';
import { RunQueue } from './run-queue.js';
import { exclusionKey, type Run } from './run.js';
import { subscribe } from './subscriptions.js';
import { ToolLists } from './tools.js';
import type { WorkflowStats } from './workflow-stats.js';

/** How long `stop` waits for calls in flight, in milliseconds. */
const stopGraceMs = 10_000;

/** A workflow over connected servers; made by `createWorkflow`. */
export class WorkflowRunner implements AsyncDisposable {
  readonly #workflow: Workflow;
  readonly #options: ResolvedWorkflowOptions;
  readonly #tools: ToolLists;
  readonly #guard = new LoopGuard();
  readonly #queue: RunQueue<RunTask>;
  readonly #debouncer: Debouncer;
  readonly #deadLetters: DeadLetters;
  readonly #stopping = new AbortController();
  readonly #aborting = new AbortController();
  readonly #unsubscribe: (() => void)[] = [];
  readonly #stats = { events: 0, duplicates: 0, overflowed: 0 };
  readonly #runs: WorkflowStats['runs'] = {
    done: 0,
    caught: 0,
    dead: 0,
    superseded: 0,
    'dry-run': 0,
  };
  /** Fulfilled when the workflow has stopped; rejected with the error that made it fail. */
  readonly closed: Promise<void>;
  #close!: (stopped: Promise<void>) => void;
  #journal: Journal | undefined;
  #intake: Intake | undefined;
  #starting: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;
  #failed: { error: unknown } | undefined;
  /** It takes no more events, and waits until all runs are over. */
  #isDraining = false;
  /** Runs that the end of the workflow has cut. */
  readonly #cut: CutRun[] = [];
  #waiters: (() => void)[] = [];

  /** Use {@link createWorkflow}. */
  constructor(workflow: Workflow, options: WorkflowOptions) {
    this.#workflow = workflow;
    this.#options = resolveOptions(workflow, options);
    const { servers, deadLetterFile, concurrency, dryRun, signal } = this.#options;
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
    this.closed.catch(() => undefined);
    this.#tools = new ToolLists(servers);
    this.#queue = new RunQueue(
      concurrency,
      ({ run }) => exclusionKey(run),
      (task) => this.#take(task),
    );
    this.#debouncer = new Debouncer((task) => this.#queue.add(task));
    const file = dryRun ? undefined : deadLetterFile;
    this.#deadLetters = new DeadLetters({ workflow: workflow.name, file });
    const stop = (): void => void this.stop().catch(() => undefined);
    signal?.addEventListener('abort', stop, { once: true });
    this.#unsubscribe.push(() => signal?.removeEventListener('abort', stop));
  }

  /**
   * Checks the workflow against the tools that the servers have now.
   *
   * @throws WorkflowError with every call of an unknown tool; what listing tools throws.
   */
  async check(): Promise<void> {
    await this.#tools.refresh(this.#stopping.signal);
    this.#tools.check(this.#workflow);
  }

  /**
   * Checks the workflow, resumes unfinished runs of an earlier process, and subscribes to the servers.
   * May be called again.
   *
   * @throws WorkflowError; LongwireError if a server or the journal cannot be used.
   */
  start(): Promise<void> {
    this.#starting ??= this.#start().catch(async (error: unknown) => {
      await this.stop();
      throw error;
    });
    return this.#starting;
  }

  /**
   * Handles an event as if a server had sent it. Fulfilled when it is written; with an `id`, it may be
   * pushed again after a crash, and is taken once.
   *
   * @throws LongwireError `closed` if the workflow does not run, `config` if it does not know
   * the server.
   */
  async push(given: GivenEvent): Promise<Taken> {
    const names = Object.keys(this.#options.servers);
    const { server = names.length === 1 ? names[0] : undefined } = given;
    if (server === undefined) throw unknownName('the event names no server', names);
    this.#knownServer(server);
    const event = eventFrom(given, server);
    return this.#accept(event, {
      identity: given.id === undefined ? undefined : identityOf(event),
      chain: { depth: 0, since: Date.now() },
    });
  }

  /**
   * Retries the event of a line of the dead-letter file, or of a log of runs. Only the named trigger
   * handles it, regardless of `dedupe` and `debounceMs`; without a name, all triggers do. Fulfilled
   * when it is written. The same line is taken once.
   *
   * @throws LongwireError `closed` if the workflow does not run, `config` if it does not know
   * the server or the trigger.
   */
  async retry({ event, trigger, run }: DeadLetterEvent): Promise<Taken> {
    this.#knownServer(event.server);
    const names = this.#workflow.triggers.map(({ name }) => name);
    if (trigger !== undefined && !names.includes(trigger)) {
      throw unknownName(`no trigger ${trigger}`, names);
    }
    return this.#accept(event, {
      identity: run === undefined ? identityOf(event) : JSON.stringify(['run', run]),
      chain: { depth: 0, since: Date.now() },
      ...(trigger !== undefined && { retry: { trigger, run: run ?? event.id } }),
    });
  }

  /**
   * Fulfilled when all events and runs are handled.
   *
   * @throws the error that made the workflow fail.
   */
  async idle(): Promise<void> {
    await this.start();
    while (!this.#isIdle && this.#failed === undefined) {
      await new Promise<void>((resolve) => void this.#waiters.push(resolve));
    }
    if (this.#failed !== undefined) throw this.#failed.error;
  }

  /** Counts of events and runs so far. */
  stats(): WorkflowStats {
    return {
      ...this.#stats,
      runs: { ...this.#runs },
      queued: this.#queue.waiting + this.#debouncer.size + (this.#intake?.waiting ?? 0),
      running: this.#queue.running,
    };
  }

  /**
   * Takes no more events and begins no more steps. Calls in flight have 10 s to end. Unfinished runs
   * are resumed by the next process with the journal; without a journal they fail with `stopped`.
   *
   * @throws the error that made the workflow fail: the journal, the dead-letter file or the log could
   * not be written.
   */
  async stop(): Promise<void> {
    this.#end();
    await this.closed;
  }

  /**
   * Takes no more events, and lets the runs that are taken finish, debounced ones included. After `drainMs`,
   * or with another `close` or `stop`, calls in flight are aborted, and other runs end as with `stop`.
   *
   * @throws TypeError that names the option; as {@link stop}.
   */
  async close(options: WorkflowCloseOptions = {}): Promise<void> {
    checkCloseOptions(options);
    const { drainMs = 0, onCut } = options;
    if (drainMs > 0 && !this.#isDraining && this.#stopped === undefined) await this.#drain(drainMs);
    this.#end();
    this.#aborting.abort();
    await this.closed;
    for (const run of this.#cut) onCut?.(run);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #start(): Promise<void> {
    const { journal, dryRun, servers } = this.#options;
    const { triggers, maxChain } = this.#workflow;
    if (this.#options.signal?.aborted === true) this.#stopping.abort();
    this.#throwIfStopped();
    await this.check();
    if (journal !== undefined && !dryRun) this.#journal = await Journal.open(journal);
    const intake = new Intake({
      triggers,
      maxChain,
      journal: this.#journal,
      onRun: (task, trigger) => this.#enqueue(task, trigger),
      supersede: (trigger, run) => this.#supersede(trigger, run),
      onDuplicate: () => (this.#stats.duplicates += 1),
    });
    if (this.#journal !== undefined) {
      const known = await this.#journal.load();
      intake.restore(known);
      for (const { run, steps: earlier } of known.unfinished) {
        const trigger = triggers.find(({ name }) => name === run.trigger);
        this.#queue.add({ run, trigger, earlier, resumed: true });
      }
    }
    this.#throwIfStopped();
    this.#intake = intake;
    for (const name of Object.keys(servers)) this.#listen(name);
    await subscribe(triggers, servers, this.#stopping.signal);
    this.#throwIfStopped();
    this.#queue.resume();
  }

  #knownServer(server: string): void {
    const names = Object.keys(this.#options.servers);
    if (!names.includes(server)) throw unknownName(`no server ${server}`, names);
  }

  #listen(server: string): void {
    const listener = (notification: Parameters<typeof eventOf>[0]): void => {
      if (notification.method === 'notifications/tools/list_changed') {
        // If it fails, the previous list is used.
        this.#tools.refreshOne(server, this.#stopping.signal).catch(() => undefined);
      }
      const chain = this.#guard.chainOf(server);
      const taken = this.#accept(eventOf(notification, server), { identity: undefined, chain });
      taken.catch((error: unknown) => this.#fail(error));
    };
    const unsubscribe = this.#options.servers[server]?.on('notification', listener);
    if (unsubscribe !== undefined) this.#unsubscribe.push(unsubscribe);
  }

  async #accept(event: WorkflowEvent, entry: Entry): Promise<Taken> {
    const intake = this.#intake;
    if (intake === undefined || this.#isDraining || this.#stopped !== undefined) {
      const options = { code: 'closed', certainty: 'not-sent' } as const;
      throw new LongwireError('the workflow takes no events: it is not running', options);
    }
    const triggers = intake.triggersOf(event, entry).length;
    if (triggers === 0) return { runs: 0, isDuplicate: false, triggers };
    this.#stats.events += 1;
    const { maxQueued } = this.#options;
    const { queued } = this.stats();
    if (queued >= maxQueued) {
      this.#stats.overflowed += 1;
      const { trigger, run } = entry.retry ?? {};
      await this.#deadLetters.add(event, notSent('queue-full', `${queued} runs wait already`), {
        ...(trigger !== undefined && { trigger }),
        ...(run !== undefined && { run }),
      });
      return { runs: 0, isDuplicate: false, triggers };
    }
    try {
      return await intake.take(event, entry);
    } finally {
      // The intake is busy until its promise is settled.
      setImmediate(() => this.#changed());
    }
  }

  #enqueue(task: RunTask, { debounceMs }: Trigger): void {
    const { run, failure } = task;
    if (debounceMs === undefined || failure !== undefined || run.retryOf !== undefined) {
      this.#queue.add(task);
    } else {
      this.#debouncer.wait(task, debounceMs);
    }
  }

  #supersede(trigger: Trigger, run: Run): Run | undefined {
    const earlier = this.#debouncer.supersede(trigger, run);
    if (earlier !== undefined) this.#runs.superseded += 1;
    return earlier;
  }

  async #take(task: RunTask): Promise<void> {
    try {
      const outcome = await takeRun(task, this.#runOptions());
      if (outcome === 'stopped') await this.#abandon(task);
      else this.#runs[outcome] += 1;
    } catch (error) {
      this.#fail(error);
    } finally {
      setImmediate(() => this.#changed());
    }
  }

  #runOptions(): RunOptions {
    const { servers, dryRun, log } = this.#options;
    return {
      workflow: this.#workflow.name,
      servers,
      dryRun,
      journal: this.#journal,
      tools: this.#tools,
      stopping: this.#stopping.signal,
      aborting: this.#aborting.signal,
      onCall: (server, { chain }) => this.#guard.called(server, chain),
      onDead: ({ event, trigger, id }, error) =>
        this.#deadLetters.add(event, error, { trigger, run: id }),
      onEnd: async (entry) => log?.(entry),
    };
  }

  /** Handles a run that is unfinished when the workflow stops. */
  async #abandon({ run: { event, trigger, id } }: RunTask): Promise<void> {
    this.#cut.push({ run: id, trigger });
    if (this.#journal !== undefined || this.#options.dryRun) return;
    this.#runs.dead += 1;
    const failure = notSent('stopped', 'the workflow was stopped, and there is no journal');
    await this.#deadLetters.add(event, failure, { trigger, run: id });
  }

  /** Waits until all runs are over, or the time, or the workflow is. */
  async #drain(ms: number): Promise<void> {
    this.#isDraining = true;
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
    let isLate = false;
    const late = (): void => {
      isLate = true;
      this.#changed();
    };
    const timer = ms === Infinity ? undefined : setTimeout(late, Math.min(ms, 2 ** 31 - 1));
    while (!this.#isIdle && !isLate && this.#stopped === undefined) {
      await new Promise<void>((resolve) => void this.#waiters.push(resolve));
    }
    clearTimeout(timer);
  }

  async #stop(): Promise<void> {
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
    await this.#intake?.settled();
    this.#stopping.abort();
    const left = [...this.#queue.drain(), ...this.#debouncer.drain()].sort(
      (a, b) => a.run.seq - b.run.seq,
    );
    const timer = setTimeout(() => this.#aborting.abort(), stopGraceMs);
    try {
      for (const task of left) await this.#abandon(task);
      while (this.#queue.running > 0) {
        await new Promise<void>((resolve) => void this.#waiters.push(resolve));
      }
    } finally {
      clearTimeout(timer);
      await this.#journal?.close();
      this.#changed();
    }
  }

  /** Ends the workflow: a run that cannot be written would be lost in a crash. */
  #fail(error: unknown): void {
    this.#failed ??= { error };
    this.#end();
    this.#changed();
  }

  #end(): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = this.#stop();
    this.#changed();
    this.#close(
      this.#stopped.then(() => {
        if (this.#failed !== undefined) throw this.#failed.error;
      }),
    );
  }

  #throwIfStopped(): void {
    if (!this.#stopping.signal.aborted && this.#stopped === undefined) return;
    throw new LongwireError('the workflow was stopped', { code: 'aborted', certainty: 'not-sent' });
  }

  get #isIdle(): boolean {
    const { queued, running } = this.stats();
    return queued === 0 && running === 0 && this.#intake?.isBusy !== true;
  }

  #changed(): void {
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}
