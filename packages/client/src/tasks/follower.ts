import type { AsyncResource } from 'node:async_hooks';
import { isDeepStrictEqual } from 'node:util';
import type { Progress, Result } from '@modelcontextprotocol/client';
import { isAway } from '../connection/retry.js';
import type { RequestContext } from '../connection/request-context.js';
import type { LedgerRequest } from '../connection/ledger.js';
import type { ReconnectingTransport } from '../connection/transport.js';
import { LongwireError, ServerError, type ErrorCode } from '../errors.js';
import type { Ask, TaskEra, TaskLine } from './era.js';
import {
  follow,
  followedTask,
  MIN_POLL_MS,
  pollDelayMs,
  type FollowedTask,
  type TaskEffect,
  type TaskEnd,
  type TaskEvent,
} from './followed.js';
import { readSnapshot } from './snapshot.js';
import { endedError } from './task-errors.js';

/** How long a server may take to say how a task is, in milliseconds; then it is asked again. */
const ANSWER_MS = 30_000;
/** A task that is not known. */
const INVALID_PARAMS = -32_602;

/** A request that failed with one of these may be made again, as long as its call has time. */
const PASSING: ReadonlySet<ErrorCode> = new Set(['timeout', 'queue-full']);
/** A request that failed with one of these would fail again. */
const LASTING: ReadonlySet<ErrorCode> = new Set([
  'closed',
  'unauthorized',
  'forbidden',
  'not-mcp',
  'config',
  'limit-exceeded',
]);

/** Something that a task asks for. */
export interface TaskInput {
  readonly key: string;
  readonly request: unknown;
  /** Aborted when the task needs no answer any more. */
  readonly signal: AbortSignal;
}

/** Who waits for the end of a task. */
export interface TaskWaiter {
  /** What it is, for messages: `the call of export_all`. */
  readonly what: string;
  /** Headers of its own, which go with what is asked for it. */
  readonly ownHeaders: Readonly<Record<string, string>> | undefined;
  /** What it was told of progress last, by the task or with the token of its own request. */
  readonly latestProgress: Progress | undefined;
  onProgress(progress: Progress): void;
  /** How long it waits without a sign of life, in milliseconds. */
  readonly timeoutMs: number;
  /** The task goes on: its idle time begins anew. */
  onAlive(): void;
  /** As of a request of its own. */
  onSent(): void;
  onDeferred(error: LongwireError, delayMs: number): void;
}

/** What a {@link TaskFollower} is made with. */
export interface TaskFollowerOptions {
  taskId: string;
  connection: ReconnectingTransport;
  era: () => TaskEra;
  /** Headers of their own of all who wait: they go with whatever is asked. */
  headers: TaskWaiter['ownHeaders'];
  /** The async context in which functions of the program run for the task. */
  scope: AsyncResource;
  /** What was told of its progress before it was a task. */
  progress?: Progress | undefined;
  /** Asks the program for what the task asks for. */
  answer: (input: TaskInput) => Promise<unknown>;
  /** Given what is wrong with what the server says. */
  report: (error: LongwireError) => void;
  /** Nobody follows it any more, or it has ended. */
  onOver: () => void;
}

interface Waiting {
  readonly waiter: TaskWaiter;
  /** What it was told of progress last, as far as is noted. */
  told?: Progress;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** Follows one task to its end, for all who wait for it with the same headers: asks how it is, and answers what it asks for. */
export class TaskFollower {
  readonly #options: TaskFollowerOptions;
  readonly #waiting = new Set<Waiting>();
  readonly #asked = new Map<string, AbortController>();
  #task: FollowedTask;
  #timer: NodeJS.Timeout | undefined;
  #poll: RequestContext | undefined;
  #isOver = false;
  /** A request that stays open. */
  #held: RequestContext | undefined;
  readonly #line: TaskLine = {
    hold: (request) => {
      this.#held = this.#context();
      return this.#options.connection.request(request, this.#held);
    },
    take: (value) => this.take(value),
    askNow: () => this.askNow(),
  };
  /** When the server was asked last, on the clock of `performance.now()`. */
  #askedAt = -Infinity;
  readonly #unwatch: () => void;

  constructor(options: TaskFollowerOptions) {
    const { taskId, connection, progress } = options;
    this.#options = options;
    this.#task = followedTask(taskId, progress);
    this.#unwatch = connection.taskWatch.watch(taskId, () => this.#heardOrNot());
  }

  /** Whether it asks with these headers. */
  asksWith(headers: TaskWaiter['ownHeaders']): boolean {
    return isDeepStrictEqual(headers ?? {}, this.#options.headers ?? {});
  }

  /** Somebody waits for its end; `leave` ends that, and says whether the task goes on without it. */
  join(waiter: TaskWaiter): { readonly ended: Promise<Result>; readonly leave: () => boolean } {
    let waiting: Waiting | undefined;
    const ended = new Promise<Result>((resolve, reject) => {
      waiting = { waiter, resolve, reject };
      this.#waiting.add(waiting);
    });
    // It may have been left before.
    ended.catch(() => {});
    if (this.#task.state === undefined) this.#schedule(0);
    return {
      ended,
      leave: () => {
        const isLeft = waiting !== undefined && this.#waiting.delete(waiting);
        if (this.#waiting.size === 0) this.#stop();
        return isLeft;
      },
    };
  }

  /** Takes what the server says of the task. */
  take(value: unknown): void {
    const snapshot = readSnapshot(value, this.#options.taskId);
    if (typeof snapshot === 'string') this.#apply({ type: 'garbage', problem: snapshot });
    else this.#apply({ type: 'snapshot', snapshot });
  }

  /** Asks as soon as it may. */
  askNow(): void {
    if (this.#poll !== undefined) return;
    this.#schedule(Math.max(0, this.#askedAt + MIN_POLL_MS - performance.now()));
  }

  /** The server says by itself what happens from now on, or does not any more: something may have. */
  #heardOrNot(): void {
    if (this.#task.state !== undefined) this.askNow();
  }

  /** Whoever waits gets this error, and nothing is sent any more. */
  fail(error: (what: string) => LongwireError): void {
    for (const { waiter, reject } of this.#takeWaiting()) reject(error(waiter.what));
    this.#stop();
  }

  #apply(event: TaskEvent): void {
    this.#noteProgress();
    const { task, effects } = follow(this.#task, event);
    this.#task = task;
    for (const effect of effects) this.#execute(effect);
    if (this.#isOver) return;
    if (task.state !== undefined) this.#options.era().listen?.(task.state, this.#line);
    if (!task.hasEnded && this.#poll === undefined) this.#wait();
  }

  /** A call is told of progress without the task, too: by notifications with the token of its request. */
  #noteProgress(): void {
    for (const waiting of this.#waiting) {
      const progress = waiting.waiter.latestProgress;
      if (progress === undefined || progress === waiting.told) continue;
      waiting.told = progress;
      this.#task = follow(this.#task, { type: 'progressed', progress }).task;
    }
  }

  #execute(effect: TaskEffect): void {
    switch (effect.type) {
      case 'ask':
        void this.#ask(effect.key, effect.request);
        break;
      case 'withdraw':
        this.#asked.get(effect.key)?.abort();
        break;
      case 'update':
        void this.#update(effect.responses);
        break;
      case 'alive':
        for (const { waiter } of this.#waiting) waiter.onAlive();
        break;
      case 'progress':
        for (const waiting of this.#waiting) {
          waiting.told = effect.progress;
          waiting.waiter.onProgress(effect.progress);
        }
        break;
      case 'report':
        this.#options.report(this.#problem(effect.problem));
        break;
      case 'end':
        this.#end(effect.end);
        break;
    }
  }

  async #ask(key: string, request: unknown): Promise<void> {
    const asking = new AbortController();
    this.#asked.set(key, asking);
    const { answer, scope } = this.#options;
    try {
      const response = await scope.runInAsyncScope(() =>
        answer({ key, request, signal: asking.signal }),
      );
      if (!asking.signal.aborted) this.#apply({ type: 'input-answered', key, response });
    } catch (error) {
      if (asking.signal.aborted) return;
      const cause = error instanceof Error ? error : new Error(String(error));
      this.#apply({ type: 'input-failed', key, cause });
    } finally {
      if (this.#asked.get(key) === asking) this.#asked.delete(key);
    }
  }

  async #update(responses: Readonly<Record<string, unknown>>): Promise<void> {
    const { taskId, era } = this.#options;
    const keys = Object.keys(responses);
    try {
      await era().update(taskId, responses, (request) => this.#request(request));
      this.#apply({ type: 'update-taken', keys });
    } catch (error) {
      const cause = error as Error;
      // The next state of the task says whether the server still wants them.
      this.#apply({ type: 'update-failed', keys, ...(!isPassing(cause) && { cause }) });
      return;
    }
    this.askNow();
  }

  #wait(): void {
    const { taskId, connection } = this.#options;
    const delayMs = pollDelayMs(this.#task, connection.taskWatch.hears(taskId));
    // Whoever waits for a shorter time has to see that the task goes on.
    const limits = [...this.#waiting].map(({ waiter }) => waiter.timeoutMs / 2);
    this.#schedule(Math.max(MIN_POLL_MS, Math.min(delayMs, ...limits)));
  }

  #schedule(ms: number): void {
    clearTimeout(this.#timer);
    if (this.#isOver) return;
    this.#timer = setTimeout(() => void this.#askHowItIs(), ms);
  }

  async #askHowItIs(): Promise<void> {
    const { taskId, era } = this.#options;
    const context = this.#context();
    this.#poll = context;
    this.#askedAt = performance.now();
    let event: TaskEvent;
    try {
      const said = await era().get(taskId, (request) => this.#request(request, context));
      const snapshot = readSnapshot(said, taskId);
      event =
        typeof snapshot === 'string'
          ? { type: 'garbage', problem: snapshot }
          : { type: 'snapshot', snapshot };
    } catch (error) {
      if (this.#isOver) return;
      const cause = error as Error;
      if (isPassing(cause)) {
        this.#poll = undefined;
        this.#wait();
        return;
      }
      event = reactionTo(cause);
    }
    this.#poll = undefined;
    if (!this.#isOver) this.#apply(event);
  }

  #context(): RequestContext {
    return {
      certainty: 'not-sent',
      idempotent: true,
      isForTask: true,
      headers: this.#options.headers,
      onSent: () => {
        for (const { waiter } of this.#waiting) waiter.onSent();
      },
      onDeferred: (error, delayMs) => {
        for (const { waiter } of this.#waiting) waiter.onDeferred(error, delayMs);
      },
    };
  }

  async #request(request: LedgerRequest, context = this.#context()): Promise<Result> {
    const { connection, scope } = this.#options;
    const late = setTimeout(() => connection.cancel(context, noAnswer(request)), ANSWER_MS).unref();
    try {
      // Middlewares run for it in the context of the call.
      return await scope.runInAsyncScope(() => connection.request(request, context));
    } finally {
      clearTimeout(late);
    }
  }

  #end(end: TaskEnd): void {
    const { taskId, connection } = this.#options;
    const { state } = connection;
    const isProcess = state.name === 'ready' && state.transport === 'stdio';
    for (const { waiter, resolve, reject } of this.#takeWaiting()) {
      if (end.how === 'completed') resolve(end.result as Result);
      else reject(endedError(end, { what: waiter.what, taskId, isProcess }));
    }
    if (end.how === 'unanswerable') void this.cancel();
    this.#stop();
  }

  /** Says to the server that the task is not wanted any more: once, and nobody waits for that. */
  cancel(): Promise<void> {
    const { taskId, era } = this.#options;
    const ask: Ask = (request) => this.#request(request);
    return era()
      .cancel(taskId, ask)
      .then(
        () => {},
        () => {},
      );
  }

  #takeWaiting(): Waiting[] {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    return waiting;
  }

  #stop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#unwatch();
    for (const asking of this.#asked.values()) asking.abort();
    for (const asked of [this.#poll, this.#held]) {
      if (asked !== undefined) this.#options.connection.cancel(asked, noLongerAsked());
    }
    this.#options.onOver();
  }

  #problem(problem: string): LongwireError {
    const { taskId } = this.#options;
    const summary = `what the server says of the task ${taskId} breaks the protocol: ${problem}`;
    return new LongwireError(summary, { code: 'protocol', certainty: 'outcome-unknown', taskId });
  }
}

/** Whether asking again, and again, may help: the server is away. */
function isPassing(error: Error): boolean {
  if (!(error instanceof LongwireError) || LASTING.has(error.code)) return false;
  return PASSING.has(error.code) || isAway(error);
}

function reactionTo(cause: Error): TaskEvent {
  if (cause instanceof ServerError && cause.number === INVALID_PARAMS)
    return { type: 'gone', cause };
  const isLasting = cause instanceof LongwireError && LASTING.has(cause.code);
  return { type: isLasting ? 'lost' : 'refused', cause };
}

function noAnswer({ method }: LedgerRequest): LongwireError {
  return new LongwireError(`${method} was not answered within ${ANSWER_MS} ms`, {
    code: 'timeout',
    certainty: 'outcome-unknown',
  });
}

function noLongerAsked(): LongwireError {
  return new LongwireError('nobody waits for the task any more', {
    code: 'aborted',
    certainty: 'outcome-unknown',
  });
}
