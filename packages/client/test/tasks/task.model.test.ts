import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createClient, LongwireError, textOf, type LongwireClient } from '../../src/index.ts';
import { isEnd, ScriptedTasks, type ScriptedTask } from './scripted/scripted-tasks.ts';

const MAX_CALLS = 4;
/** So many wrong answers in a row are the end of it. */
const MAX_WRONG = 5;
/** More than any run needs to come to its end. */
const MAX_HEALING_STEPS = 400;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const nth = fc.nat(7);
const of = <T extends string>(...types: T[]): fc.Arbitrary<T> => fc.constantFrom(...types);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: of('call'), isServed: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ type: of('abort'), nth }) },
  {
    weight: 16,
    arbitrary: fc.record({
      type: of('serve'),
      nth,
      as: of(
        'answered',
        'answered',
        'answered',
        'twice',
        'refused',
        'of-another',
        'lost',
        'answer-lost',
      ),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: of('cut') }) },
  { weight: 1, arbitrary: fc.record({ type: of('away'), dials: fc.integer({ min: 1, max: 40 }) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      type: of('task'),
      nth,
      as: of('says', 'asks', 'asks', 'completed', 'failed', 'cancelled'),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ type: of('notify'), nth, as: of('now', 'now', 'before', 'unknown') }),
  },
  { weight: 4, arbitrary: fc.record({ type: of('person'), nth }) },
  { weight: 8, arbitrary: fc.record({ type: of('wait'), ms: fc.constantFrom(1, 50, 150, 2000) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

interface Call {
  readonly number: number;
  readonly abort: AbortController;
  /** What it settled with, each time that it did. */
  readonly ends: ({ text: string } | { error: unknown })[];
  readonly taskIds: string[];
  /** Messages of its progress. */
  readonly told: (string | undefined)[];
  abortedBeforeEnd: boolean;
  cutsAfterAbort: number;
}

interface Question {
  readonly text: string;
  answer: (() => void) | undefined;
}

class World {
  readonly server: ScriptedTasks;
  readonly client: LongwireClient;
  readonly calls: Call[] = [];
  readonly questions: Question[] = [];
  /** Snapshots as they were before. */
  readonly history: Record<string, unknown>[] = [];

  constructor(takesTaskIds: boolean) {
    this.server = new ScriptedTasks(takesTaskIds);
    this.client = createClient(
      { server: () => this.server.open() },
      {
        protocol: '2026-07-28',
        retry: { firstDelayMs: 10, maxDelayMs: 20, maxAttempts: 3 },
        handlers: { elicitation: ({ message }) => this.#ask(message) },
      },
    );
  }

  #ask(text: string): Promise<{ action: 'accept'; content: { text: string } }> {
    return new Promise((resolve) => {
      const question: Question = {
        text,
        answer: () => {
          question.answer = undefined;
          resolve({ action: 'accept', content: { text: `answer to ${text}` } });
        },
      };
      this.questions.push(question);
    });
  }

  call(): void {
    const call: Call = {
      number: this.calls.length,
      abort: new AbortController(),
      ends: [],
      taskIds: [],
      told: [],
      abortedBeforeEnd: false,
      cutsAfterAbort: 0,
    };
    this.calls.push(call);
    this.client
      .callTool(
        'long',
        { call: call.number },
        {
          signal: call.abort.signal,
          timeoutMs: 3_000_000,
          onTask: ({ taskId }) => call.taskIds.push(taskId),
          onProgress: ({ message }) => call.told.push(message),
        },
      )
      .then(
        (result) => call.ends.push({ text: textOf(result) }),
        (error: unknown) => call.ends.push({ error }),
      );
  }

  #cut(): void {
    this.server.cut();
    for (const call of this.calls) if (call.abortedBeforeEnd) call.cutsAfterAbort += 1;
  }

  /** Answers what has been asked so far. */
  async serveAll(): Promise<void> {
    await vi.advanceTimersByTimeAsync(50);
    for (const request of this.server.pending.slice()) this.server.answer(request);
  }

  async take(taken: Step): Promise<void> {
    const { server } = this;
    switch (taken.type) {
      case 'call':
        if (this.calls.length >= MAX_CALLS) break;
        this.call();
        if (taken.isServed) await this.serveAll();
        break;
      case 'abort': {
        const call = at(this.calls, taken.nth);
        if (call === undefined || call.ends.length > 0) break;
        call.abortedBeforeEnd = true;
        call.abort.abort();
        break;
      }
      case 'serve': {
        const request = at(server.pending, taken.nth);
        if (request === undefined) break;
        if (taken.as === 'answered') server.answer(request);
        if (taken.as === 'twice') server.answer(request, 2);
        if (taken.as === 'of-another') server.answerForAnother(request);
        if (taken.as === 'refused') server.refuse(request);
        if (taken.as === 'answer-lost') server.act(request);
        // Nobody notices before the connection is cut.
        if (taken.as === 'lost' || taken.as === 'answer-lost') server.drop(request);
        break;
      }
      case 'cut':
        this.#cut();
        break;
      case 'away':
        this.#cut();
        for (const call of this.calls) call.cutsAfterAbort += 2;
        server.refusedDials = taken.dials;
        break;
      case 'task': {
        const task = at(server.tasks, taken.nth);
        if (task === undefined) break;
        this.history.push(server.snapshot(task));
        if (taken.as === 'says') server.say(task);
        else if (taken.as === 'asks') server.ask(task);
        else server.end(task, taken.as);
        break;
      }
      case 'notify': {
        const task = at(server.tasks, taken.nth);
        if (task === undefined) break;
        if (taken.as === 'now') server.notify(server.snapshot(task));
        if (taken.as === 'before') server.notify(at(this.history.toReversed(), taken.nth) ?? {});
        if (taken.as === 'unknown') server.notify({ ...server.snapshot(task), taskId: 'unknown' });
        break;
      }
      case 'person':
        at(this.questions, taken.nth)?.answer?.();
        break;
      case 'wait':
        await vi.advanceTimersByTimeAsync(taken.ms);
        break;
    }
    await vi.advanceTimersByTimeAsync(0);
  }

  /** Whatever was lost is noticed, everybody does well, and every call comes to its end. */
  async heal(): Promise<void> {
    this.#cut();
    for (let count = 0; count < MAX_HEALING_STEPS; count += 1) {
      for (const { answer } of this.questions) answer?.();
      for (const request of this.server.pending.slice()) this.server.answer(request);
      for (const task of this.server.tasks) {
        if (task.status === 'working') this.server.end(task, 'completed');
      }
      await vi.advanceTimersByTimeAsync(200);
      if (this.calls.every(({ ends }) => ends.length > 0) && this.server.pending.length === 0)
        return;
    }
  }

  check(): void {
    const { server } = this;
    for (const call of this.calls) this.#checkCall(call);
    for (const { text } of this.questions) {
      expect(this.questions.filter((question) => question.text === text)).toHaveLength(1);
    }
    for (const task of server.tasks) {
      for (const [key, answers] of task.questions) {
        for (const answer of answers) {
          expect(answer).toMatchObject({
            action: 'accept',
            content: { text: `answer to ${task.taskId} ${key}` },
          });
        }
      }
      expect(task.asksAfterEnd).toBe(0);
    }
  }

  #checkCall({ number, ends, taskIds, told, abortedBeforeEnd, cutsAfterAbort }: Call): void {
    const { server } = this;
    const order = told.map((message) => Number(message?.match(/^said (\d+)$/)?.[1]));
    expect(order, 'progress goes on').toEqual(order.toSorted((one, other) => one - other));
    const own = server.tasks.filter(({ call }) => call === number);
    expect(ends, `call ${number} settles once`).toHaveLength(1);
    expect(server.runs.get(number) ?? 0, `call ${number} runs at most once`).toBeLessThan(2);
    expect(taskIds.length).toBeLessThan(2);
    const task: ScriptedTask | undefined = own.find(({ taskId }) => taskId === taskIds[0]);
    if (taskIds.length > 0) expect(task).toBeDefined();
    const [end] = ends;
    if (end === undefined) return;
    if ('text' in end) {
      expect(end.text).toBe(`result of ${number}`);
      expect(task?.status).toBe('completed');
      expect(abortedBeforeEnd).toBe(false);
      expect(task?.cancels).toBe(0);
      return;
    }
    const { error } = end;
    if (!(error instanceof LongwireError)) throw error;
    if (abortedBeforeEnd) {
      expect(error.code).toBe('aborted');
      // It is told as any safe request is made: not for ever.
      const isTold = task !== undefined && cutsAfterAbort <= 1;
      if (isTold) expect(task.cancels, 'the task is told').toBeGreaterThan(0);
      return;
    }
    if (task === undefined) {
      // Its task was never known here.
      expect(error).toMatchObject({ code: 'connection-lost', certainty: 'outcome-unknown' });
      return;
    }
    if (task.wrongAnswers >= MAX_WRONG && error.code === 'protocol') return;
    expect(isEnd(task.status)).toBe(true);
    expect(task.status, error.message).not.toBe('completed');
    expect(error).toMatchObject({ taskId: task.taskId });
    if (task.status === 'failed') {
      expect(error).toMatchObject({ code: 'server-error', certainty: 'answered' });
      expect(error.message).toContain(`failed ${number}`);
    }
  }
}

function at<T>(list: readonly T[], nth: number): T | undefined {
  return list[nth % Math.max(1, list.length)];
}

it(
  'a task has one end, whatever is lost, late, repeated or out of order',
  { timeout: 240_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.array(step, { maxLength: 80, size: 'max' }),
        async (listens, steps) => {
          const world = new World(listens);
          try {
            world.call();
            await world.serveAll();
            for (const each of steps) await world.take(each);
            await world.heal();
            world.check();
          } finally {
            const closing = world.client.close();
            await vi.advanceTimersByTimeAsync(10_000);
            await closing;
            vi.clearAllTimers();
          }
        },
      ),
      { numRuns: Number(process.env['TASK_RUNS'] ?? 300) },
    );
  },
);
