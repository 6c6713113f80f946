import type { InputRequests } from '@modelcontextprotocol/server';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { CallOrigin } from '../../src/calls/client-call.ts';
import type { TaskAnswer } from '../../src/tasks/task-call.ts';
import type { TaskListener } from '../../src/tasks/task-engine.ts';
import { isFinal, type TaskRecord } from '../../src/tasks/task-store.ts';
import { TaskWaits, type TaskWaiter, type WaitedEngine } from '../../src/tasks/task-waits.ts';

/** Who asks for it. */
const ADA = { principal: { id: 'ada' } } as CallOrigin;

/** A task whose server asks and gives up as a test says. */
class ScriptedTask implements WaitedEngine {
  record: TaskRecord = {
    taskId: 'one',
    principal: 'ada',
    tool: 'ask',
    era: 'legacy',
    createdAt: 0,
    lastUpdatedAt: 0,
    status: 'working',
    ttlMs: null,
    version: 1,
  };
  readonly listeners = new Set<TaskListener>();
  /** How often each question was answered. */
  readonly answered = new Map<string, number>();
  #lastKey = 0;
  readonly #writes: (() => void)[] = [];

  /** Answers are stored a little later. */
  store(): void {
    for (const written of this.#writes.splice(0)) written();
  }

  async get(): Promise<TaskRecord> {
    return this.record;
  }

  listen(_asker: CallOrigin, _taskId: string, listener: TaskListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async input(
    _asker: CallOrigin,
    _taskId: string,
    answers: Readonly<Record<string, TaskAnswer>>,
  ): Promise<TaskRecord> {
    for (const key of Object.keys(answers)) {
      this.answered.set(key, (this.answered.get(key) ?? 0) + 1);
    }
    await new Promise<void>((resolve) => this.#writes.push(resolve));
    for (const key of Object.keys(answers)) this.close(key);
    return this.record;
  }

  ask(): void {
    const key = `input-${++this.#lastKey}`;
    this.#change({ ...this.open, [key]: { method: 'roots/list' } });
  }

  close(key: string): void {
    const { [key]: _, ...rest } = this.open;
    if (key in this.open) this.#change(rest);
  }

  end(): void {
    if (isFinal(this.record.status)) return;
    const { inputRequests: _, ...rest } = this.record;
    this.#store({ ...rest, status: 'completed', result: { content: [] } });
  }

  /** How many questions there were. */
  get asked(): number {
    return this.#lastKey;
  }

  get open(): InputRequests {
    return this.record.inputRequests ?? {};
  }

  #change(inputRequests: InputRequests): void {
    if (isFinal(this.record.status)) return;
    const status = Object.keys(inputRequests).length > 0 ? 'input_required' : 'working';
    this.#store({ ...this.record, status, inputRequests });
  }

  #store(record: TaskRecord): void {
    this.record = { ...record, version: this.record.version + 1 };
    for (const listener of this.listeners) listener(this.record);
  }
}

/** A question as a client has it. */
interface Shown {
  readonly waiter: ScriptedWaiter;
  state: 'open' | 'answered' | 'withdrawn';
  readonly answered: (answer: TaskAnswer) => void;
}

/** A client that waits. */
class ScriptedWaiter implements TaskWaiter {
  isReading = true;
  hasLeft = false;
  readonly answers: TaskAnswer[] = [];
  readonly #shown: Shown[];

  constructor(shown: Shown[]) {
    this.#shown = shown;
  }

  isHeard(): boolean {
    return this.isReading;
  }

  tellProgress(): void {}

  answer(answer: TaskAnswer): void {
    this.answers.push(answer);
  }

  ask(_request: object, answered: (answer: TaskAnswer) => void): { withdraw(): void } {
    const shown: Shown = { waiter: this, state: 'open', answered };
    this.#shown.push(shown);
    return {
      withdraw: () => {
        if (shown.state === 'open') shown.state = 'withdrawn';
      },
    };
  }
}

interface Step {
  readonly does: 'wait' | 'leave' | 'look' | 'ask' | 'give-up' | 'answer' | 'store' | 'rest';
  readonly at: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  does: fc.constantFrom(
    'wait',
    'wait',
    'leave',
    'look',
    'ask',
    'ask',
    'give-up',
    'answer',
    'store',
    'rest',
  ),
  at: fc.nat({ max: 5 }),
});

/** Steps of whoever is the first. */
const asked = (does: readonly Step['does'][]): Step[] => does.map((it) => ({ does: it, at: 0 }));

/** Lets all that is under way come to an end. */
const rest = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('asks each question of one client at a time, takes one answer, and answers each who waits once', () =>
  fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const task = new ScriptedTask();
      const shown: Shown[] = [];
      const waiters: ScriptedWaiter[] = [];
      let waits: TaskWaits | undefined;
      const present = (): ScriptedWaiter[] => waiters.filter(({ hasLeft }) => !hasLeft);
      for (const { does, at } of steps) {
        const open = Object.keys(task.open);
        const waiter = present()[at % Math.max(present().length, 1)];
        if (does === 'wait') {
          waits ??= new TaskWaits(task, {
            asker: ADA,
            taskId: 'one',
            onEmpty: () => (waits = undefined),
          });
          const added = new ScriptedWaiter(shown);
          waiters.push(added);
          void waits.add(added);
        } else if (does === 'leave' && waiter !== undefined) {
          waiter.hasLeft = true;
          waits?.remove(waiter);
        } else if (does === 'look' && waiter !== undefined) {
          waiter.isReading = !waiter.isReading;
        } else if (does === 'ask') {
          task.ask();
        } else if (does === 'give-up' && open.length > 0) {
          task.close(open[at % open.length]!);
        } else if (does === 'answer') {
          const asked = shown.filter(({ state }) => state === 'open')[at];
          if (asked !== undefined) {
            asked.state = 'answered';
            asked.answered({ result: {} });
          }
        } else if (does === 'store') {
          task.store();
        } else {
          await rest();
        }
        const asking = shown.filter(({ state }) => state === 'open');
        expect(asking.every((it) => !it.waiter.hasLeft)).toBe(true);
        expect(asking.length).toBeLessThanOrEqual(Object.keys(task.open).length);
        // One that is answered is asked no more, even before the task knows the answer.
        expect(asking.length + task.answered.size).toBeLessThanOrEqual(task.asked);
      }
      await rest();
      task.store();
      await rest();
      const asking = shown.filter(({ state }) => state === 'open').length;
      // Nothing that the task waits for is forgotten while anybody is there.
      expect(asking).toBe(present().length > 0 ? Object.keys(task.open).length : 0);
      expect(waits === undefined).toBe(present().length === 0);
      expect([...task.answered.values()].every((times) => times === 1)).toBe(true);
      task.end();
      await rest();
      for (const { hasLeft, answers } of waiters) expect(answers).toHaveLength(hasLeft ? 0 : 1);
      expect(task.listeners.size).toBe(0);
      expect(shown.filter(({ state }) => state === 'open')).toEqual([]);
    }),
    {
      numRuns: 2_000,
      examples: [[asked(['wait', 'ask', 'rest', 'answer', 'leave', 'wait', 'rest'])]],
    },
  ));

it('listens no longer than somebody waits', async () => {
  const task = new ScriptedTask();
  let isEmpty = false;
  const onEmpty = (): void => void (isEmpty = true);
  const waits = new TaskWaits(task, { asker: ADA, taskId: 'one', onEmpty });
  waits.remove(new ScriptedWaiter([]));
  expect(isEmpty).toBe(true);
  expect(task.listeners.size).toBe(0);
});
