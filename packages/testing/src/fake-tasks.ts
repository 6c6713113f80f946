import type { CallToolResult, Progress } from '@longwire/client';
import { isObject } from '@longwire/client/internal';
import { RequestError, type Ask, type Params, type RequestOptions } from './fake-server.js';
import { errorResult } from './fake-tools.js';

/** How a protocol version has tasks: 2026-07-28 has an extension, 2025-11-25 a part of its core. */
export type Era = 'modern' | 'legacy';

/** What a task does. It is given what a tool is given. */
export type RunTask = (options: RequestOptions) => Promise<CallToolResult>;

type Status = 'working' | 'input_required' | 'completed' | 'failed' | 'cancelled';

const INVALID_PARAMS = -32_602;
const TTL_MS = 3_600_000;
/** Clients ask no sooner than their own least delay: a test is to take no longer than that. */
const POLL_INTERVAL_MS = 1;

/** A question of a task. */
interface Question {
  readonly request: { readonly method: string; readonly params?: object | undefined };
  readonly answer: (response: unknown) => void;
}

/** The tasks of a fake client, in the form of the era that it speaks. */
export class FakeTasks {
  readonly #era: Era;
  readonly #tasks = new Map<string, FakeTask>();
  readonly #ids: (taskId: string) => RunTask | undefined;
  #made = 0;

  /** `existing` says what the tasks do that were there before. */
  constructor(era: Era, existing: (taskId: string) => RunTask | undefined) {
    this.#era = era;
    this.#ids = existing;
  }

  /** Makes a task of a call; the answer to the call. */
  create(run: RunTask, { ask }: RequestOptions): object {
    let taskId: string;
    do taskId = `task-${++this.#made}`;
    while (this.#tasks.has(taskId) || this.#ids(taskId) !== undefined);
    const task = this.#begin(taskId, run, ask);
    if (this.#era === 'legacy') return { task: task.state(this.#era) };
    return { resultType: 'task', ...task.state(this.#era) };
  }

  /** Answers a request about a task; `undefined` for what is none. */
  async answer(method: string, params: Params, options: RequestOptions): Promise<unknown> {
    const known = METHODS[this.#era];
    if (!known.includes(method)) return undefined;
    if (method === 'tasks/list') {
      return { tasks: [...this.#tasks.values()].map((task) => task.state(this.#era)) };
    }
    const task = this.#taskOf(params['taskId'], options.ask);
    // A question goes to whoever asked last.
    task.ask = options.ask;
    switch (method) {
      case 'tasks/get':
        return task.detailed(this.#era);
      case 'tasks/result':
        return task.outcome(options.signal);
      case 'tasks/update':
        task.take(params['inputResponses']);
        return {};
      default:
        if (this.#era === 'legacy' && task.hasEnded) {
          throw new RequestError(INVALID_PARAMS, `the task ${task.taskId} has ended`);
        }
        task.cancel();
        return this.#era === 'legacy' ? task.state(this.#era) : {};
    }
  }

  #taskOf(taskId: unknown, ask: Ask): FakeTask {
    const task = this.#tasks.get(String(taskId));
    if (task !== undefined) return task;
    const run = typeof taskId === 'string' ? this.#ids(taskId) : undefined;
    if (run === undefined) {
      throw new RequestError(INVALID_PARAMS, `the fake client has no task ${String(taskId)}`);
    }
    return this.#begin(String(taskId), run, ask);
  }

  #begin(taskId: string, run: RunTask, ask: Ask): FakeTask {
    const task = new FakeTask({ taskId, era: this.#era, run, ask });
    this.#tasks.set(taskId, task);
    return task;
  }
}

const METHODS: Readonly<Record<Era, readonly string[]>> = {
  modern: ['tasks/get', 'tasks/update', 'tasks/cancel'],
  legacy: ['tasks/get', 'tasks/result', 'tasks/list', 'tasks/cancel'],
};

class FakeTask {
  readonly taskId: string;
  ask: Ask;
  readonly #era: Era;
  readonly #createdAt = new Date().toISOString();
  readonly #running = new AbortController();
  readonly #questions = new Map<string, Question>();
  readonly #ended: Promise<void>;
  #asked = 0;
  #status: Status = 'working';
  #lastUpdatedAt = this.#createdAt;
  #progress: Progress | undefined;
  #result: CallToolResult | undefined;
  #error: RequestError | undefined;

  constructor({ taskId, era, run, ask }: { taskId: string; era: Era; run: RunTask; ask: Ask }) {
    this.taskId = taskId;
    this.ask = ask;
    this.#era = era;
    const context: RequestOptions = {
      signal: this.#running.signal,
      onProgress: (progress) => this.#change({ progress }),
      ask: (method, params) => this.#question(method, params),
    };
    this.#ended = run(context).then(
      (result) => this.#end(result),
      (error: unknown) => {
        if (error instanceof RequestError) this.#fail(error);
        else this.#end(errorResult(String(error)));
      },
    );
  }

  get hasEnded(): boolean {
    return ['completed', 'failed', 'cancelled'].includes(this.#status);
  }

  state(era: Era): object {
    const message = this.#progress?.message;
    return {
      taskId: this.taskId,
      status: this.#status,
      ...(message !== undefined && { statusMessage: message }),
      createdAt: this.#createdAt,
      lastUpdatedAt: this.#lastUpdatedAt,
      ...(era === 'modern'
        ? { ttlMs: TTL_MS, pollIntervalMs: POLL_INTERVAL_MS }
        : { ttl: TTL_MS, pollInterval: POLL_INTERVAL_MS }),
      ...(this.#progress !== undefined && { _meta: { 'longwire/progress': this.#progress } }),
    };
  }

  /** With what it asks for and what came of it, in the modern era. */
  detailed(era: Era): object {
    if (era === 'legacy') return this.state(era);
    const requests = [...this.#questions].map(([key, { request }]) => [key, request]);
    return {
      ...this.state(era),
      ...(this.#status === 'input_required' && { inputRequests: Object.fromEntries(requests) }),
      ...(this.#status === 'completed' && { result: this.#result }),
      ...(this.#error !== undefined && { error: this.#error.toJSON() }),
    };
  }

  /** What it ended with, once it has. */
  async outcome(signal: AbortSignal): Promise<object> {
    await Promise.race([this.#ended, aborted(signal), aborted(this.#running.signal)]);
    if (this.#error !== undefined) throw this.#error;
    if (this.#result === undefined) {
      throw new RequestError(INVALID_PARAMS, `the task ${this.taskId} was cancelled`);
    }
    return { ...this.#result, _meta: { ...this.#result._meta, ...relatedTo(this.taskId) } };
  }

  take(responses: unknown): void {
    for (const [key, response] of Object.entries(isObject(responses) ? responses : {})) {
      this.#questions.get(key)?.answer(response);
    }
  }

  cancel(): void {
    if (this.hasEnded) return;
    this.#status = 'cancelled';
    this.#running.abort();
    this.#change({});
  }

  /** In the modern era the client finds it when it asks for the task; in the legacy era it is a request. */
  async #question(method: string, params: object | undefined): Promise<unknown> {
    const key = `question-${++this.#asked}`;
    const answered = new Promise<unknown>((resolve) => {
      this.#questions.set(key, { request: { method, params }, answer: resolve });
    });
    if (!this.hasEnded) this.#status = 'input_required';
    this.#change({});
    try {
      if (this.#era === 'legacy') {
        return await this.ask(method, { ...params, _meta: relatedTo(this.taskId) });
      }
      return await Promise.race([answered, aborted(this.#running.signal)]);
    } finally {
      this.#questions.delete(key);
      if (this.#status === 'input_required' && this.#questions.size === 0) this.#status = 'working';
      this.#change({});
    }
  }

  #end(result: CallToolResult): void {
    if (this.hasEnded) return;
    this.#result = result;
    // In the legacy era an error of a tool is a task that failed.
    this.#status = this.#era === 'legacy' && result.isError === true ? 'failed' : 'completed';
    this.#change({});
  }

  #fail(error: RequestError): void {
    if (this.hasEnded) return;
    this.#error = error;
    this.#status = 'failed';
    this.#change({});
  }

  #change({ progress }: { progress?: Progress }): void {
    if (progress !== undefined) this.#progress = progress;
    this.#lastUpdatedAt = new Date().toISOString();
  }
}

function relatedTo(taskId: string): object {
  return { 'io.modelcontextprotocol/related-task': { taskId } };
}

async function aborted(signal: AbortSignal): Promise<undefined> {
  if (!signal.aborted) {
    await new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }
  return undefined;
}
