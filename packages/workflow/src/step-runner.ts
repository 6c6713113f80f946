import { setTimeout as delay } from 'node:timers/promises';
import { nameList } from '@longwire/client/internal';
import type { CallStep, Step } from './definition.js';
import { fill, type Gap } from './expression.js';
import { mayRepeat, notSent, Stopped, StepFailure, type Failure } from './failure.js';
import type { Journal } from './journal.js';
import type { Run, StepRecord, StepTask } from './run.js';
import { written } from './source-map.js';
import { canTakeUp, makeStepCall, type CallOutcome } from './step-call.js';
import { addressOf, type Servers, type ToolAddress, type ToolLists } from './tools.js';
import type { ExpressionContext } from './expression-thread.js';

/** The longest delay before a call is made again, in milliseconds. */
const maxDelayMs = 30_000;

/** What the steps of all runs share. */
export interface StepRunnerOptions {
  servers: Servers;
  tools: ToolLists;
  /** Calls nothing, and only shows the arguments. */
  dryRun: boolean;
  /** Aborted when no further step may begin. */
  stopping: AbortSignal;
  /** Aborted when calls in flight must end. */
  aborting: AbortSignal;
  /** Called when a run calls a server; the returned function is called when the call has ended. */
  onCall: (server: string, run: Run) => () => void;
  /** Where the states of steps are written. With it, tasks go on when calls in flight must end. */
  journal: Journal | undefined;
}

/** Runs the steps of one run, except those that are done. */
export class StepRunner {
  /** All steps that were reached, in order. */
  readonly records: Map<string, StepRecord>;
  readonly #run: Run;
  readonly #options: StepRunnerOptions;
  readonly #results: Record<string, unknown> = {};
  #error: Failure | undefined;

  constructor(run: Run, earlier: readonly StepRecord[], options: StepRunnerOptions) {
    this.#run = run;
    this.#options = options;
    const byStart = [...earlier].sort((a, b) => a.startedAt.localeCompare(b.startedAt));
    this.records = new Map(byStart.map((record) => [record.path, record]));
  }

  /** Sets the `error` that expressions see from now on. */
  fail(error: Failure): void {
    this.#error = error;
  }

  /**
   * Runs steps in order.
   *
   * @throws StepFailure of the first one that fails; Stopped.
   */
  async inOrder(steps: readonly Step[], result?: unknown): Promise<unknown> {
    let latest = result;
    for (const step of steps) latest = await this.#step(step, latest);
    return latest;
  }

  async #step(step: Step, previous: unknown): Promise<unknown> {
    if (!(await this.#isWanted(step, previous))) return previous;
    const result =
      step.kind === 'call'
        ? await this.#call(step, previous)
        : await this.#branches(step, previous);
    this.#results[step.id] = result;
    return this.inOrder(step.next, result);
  }

  /** Waits for all branches, even if one fails. */
  async #branches(
    { branches }: Extract<Step, { kind: 'parallel' }>,
    previous: unknown,
  ): Promise<unknown[]> {
    const settled = await Promise.allSettled(
      branches.map((branch) => this.#step(branch, previous)),
    );
    const failed = settled.filter((branch) => branch.status === 'rejected');
    // A stopped branch wins over a failed one: it must still be run.
    const first = failed.find(({ reason }) => reason instanceof Stopped) ?? failed[0];
    if (first !== undefined) throw first.reason;
    return settled.map((branch) => (branch.status === 'fulfilled' ? branch.value : undefined));
  }

  /** Whether a step's condition is true; it was for a step that is begun. */
  async #isWanted(step: Step, previous: unknown): Promise<boolean> {
    const { where, path, id } = step;
    const known = this.records.get(path);
    if (known !== undefined) return known.state !== 'skipped';
    if (where === undefined) return true;
    // A dry run has no results, so conditions on them count as true.
    if (this.#options.dryRun && where.needsResults) return true;
    const startedAt = new Date().toISOString();
    try {
      if (await where.test(this.#context(previous))) return true;
    } catch (error) {
      await this.#fail({ path, id, state: 'failed', startedAt }, expressionFailure(error));
    }
    await this.#write({ path, id, state: 'skipped', startedAt });
    return false;
  }

  async #call(step: CallStep, previous: unknown): Promise<unknown> {
    const { stopping, servers, tools, dryRun } = this.#options;
    const address = addressOf(step.call, this.#run.event.server, servers);
    const isSafe = step.idempotent ?? tools.isSafe(address);
    const known = this.records.get(step.path);
    if (known?.state === 'done') return known.result;
    if (known?.state === 'failed') throw new StepFailure(known.error ?? lost(known));
    if (known?.state === 'begun' && !isSafe && !canTakeUp(known, address, servers)) {
      await this.#fail(known, lost(known));
    }
    if (stopping.aborted) throw new Stopped();
    const record = known ?? (await this.#begin(step, address, previous));
    if (!dryRun) return this.#attempts(step, address, record, isSafe);
    await this.#write(record);
    return undefined;
  }

  /** Evaluates the arguments. Nothing is written yet. */
  async #begin(step: CallStep, address: ToolAddress, previous: unknown): Promise<StepRecord> {
    const { path, id } = step;
    const call = `${address.server}/${address.tool}`;
    const startedAt = new Date().toISOString();
    const record: StepRecord = { path, id, state: 'waiting', call, startedAt };
    const { dryRun: isDryRun, tools } = this.#options;
    const gaps: Gap[] = [];
    let given: unknown;
    try {
      const principal = await this.#principalOf(step, call, previous);
      if (principal !== undefined) record.principal = principal;
      given = await fill(step.arguments, { context: this.#context(previous), gaps, isDryRun });
    } catch (error) {
      return this.#fail(record, expressionFailure(error));
    }
    if (isDryRun && typeof given === 'string') {
      return { ...record, arguments: { '...': given } };
    }
    const failure = wrongArguments(call, given, gaps, tools.missing(address, given));
    if (failure !== undefined) return this.#fail(record, failure);
    return { ...record, arguments: given as Record<string, unknown> };
  }

  /** @throws Error that quotes the expression: a call for somebody is never made for nobody. */
  async #principalOf(
    { as }: CallStep,
    call: string,
    previous: unknown,
  ): Promise<string | undefined> {
    if (as === undefined) return undefined;
    if (this.#options.dryRun && as.needsResults) return `=${as.source}`;
    const value = await as.evaluate(this.#context(previous));
    if (typeof value === 'string' && value.trim() !== '') return value;
    const found = value === undefined ? 'nothing' : JSON.stringify(value);
    throw new Error(
      `the principal of ${call}: the expression ${as.source} found ${found}, and not a text with the ` +
        'name of a user',
    );
  }

  /** Calls until it succeeds or no attempt is left. */
  async #attempts(
    step: CallStep,
    address: ToolAddress,
    first: StepRecord,
    isSafe: boolean,
  ): Promise<unknown> {
    const { stopping, aborting, servers } = this.#options;
    let record = first;
    for (let attempt = 1; ; attempt++) {
      if (stopping.aborted) throw new Stopped();
      const isLeft = attempt === 1 && first.state === 'begun';
      if (!isLeft || !canTakeUp(record, address, servers)) {
        const { task: _, ...rest } = record;
        record = { ...rest, state: 'begun', attempts: (record.attempts ?? 0) + 1 };
        await this.#write(record);
      }
      const outcome = await this.#callOnce(step, address, record);
      // It has the task that the call has become.
      record = this.records.get(step.path) ?? record;
      if (outcome === 'left') throw new Stopped();
      if ('result' in outcome) {
        const { result } = outcome;
        await this.#write({ ...record, state: 'done', result, ...tookSince(record) });
        return result;
      }
      const { failure } = outcome;
      if (failure.code === 'aborted' && aborting.aborted) {
        // A step that is written as begun may have run: whoever resumes the run decides.
        if (failure.certainty === 'not-sent') await this.#write({ ...record, state: 'waiting' });
        throw new Stopped();
      }
      if (attempt >= step.retry.maxAttempts || !mayRepeat(failure, isSafe)) {
        return this.#fail(record, failure);
      }
      await this.#write({ ...record, state: 'waiting', error: failure });
      const pauseMs = Math.min(step.retry.delayMs * 2 ** (attempt - 1), maxDelayMs);
      await delay(pauseMs, undefined, { signal: stopping }).catch(() => undefined);
    }
  }

  async #callOnce(step: CallStep, address: ToolAddress, record: StepRecord): Promise<CallOutcome> {
    const { servers, aborting, onCall, journal } = this.#options;
    const ended = onCall(address.server, this.#run);
    const noteTask = (task: StepTask): Promise<void> => this.#write({ ...record, task });
    try {
      return await makeStepCall(step, address, record, {
        servers,
        aborting,
        noteTask: journal === undefined ? undefined : noteTask,
      });
    } finally {
      ended();
    }
  }

  async #fail(record: StepRecord, failure: Failure): Promise<never> {
    const error = { ...failure, step: record.id };
    await this.#write({ ...record, state: 'failed', error, ...tookSince(record) });
    throw new StepFailure(error);
  }

  async #write(record: StepRecord): Promise<void> {
    this.records.set(record.path, record);
    await this.#options.journal?.step(this.#run, record);
  }

  #context(result: unknown): ExpressionContext {
    const error = this.#error;
    return {
      event: this.#run.event,
      steps: this.#results,
      result,
      ...(error !== undefined && { error }),
    };
  }
}

function tookSince({ startedAt }: StepRecord): { durationMs: number } {
  return { durationMs: Date.now() - Date.parse(startedAt) };
}

function expressionFailure(error: unknown): Failure {
  return notSent('expression', (error as Error).message);
}

/** What is wrong with the arguments: a required one is missing, or a list has a gap. */
function wrongArguments(
  call: string,
  given: unknown,
  gaps: readonly Gap[],
  missing: readonly (readonly PropertyKey[])[],
): Failure | undefined {
  const required = new Set(missing.map(written));
  for (const { path, expression } of gaps) {
    const name = written(path);
    const isItem = typeof path.at(-1) === 'number';
    if (name !== '' && !isItem && !required.has(name)) continue;
    const why = isItem
      ? ', and a list has no gaps'
      : name === ''
        ? ''
        : ', and the tool requires it';
    const what = name === '' ? 'the arguments' : `the argument ${name}`;
    const message = `${what} of ${call}: the expression ${expression.source} found nothing${why}`;
    return notSent('expression', message);
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    const kind = Array.isArray(given) ? 'a list' : given === null ? 'null' : typeof given;
    const message = `the arguments of ${call} are not an object but ${kind}`;
    return notSent('invalid-arguments', message);
  }
  if (required.size === 0) return undefined;
  const message = `the tool ${call} also needs ${nameList([...required])}`;
  return notSent('invalid-arguments', message);
}

function lost({ call = 'a tool' }: StepRecord): Failure {
  return {
    code: 'outcome-unknown',
    message: `the process ended while ${call} was called: it may have run, and running it twice is not known to be safe`,
    certainty: 'outcome-unknown',
  };
}
