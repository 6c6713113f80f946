import { cp, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { McpServer } from '@modelcontextprotocol/server';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { expectNothingLeftOpen } from '../../../../test/support/open-handles.ts';
import { removeFolder } from '../../../../test/support/remove-folder.ts';
import { until } from '../../../../test/support/until.ts';
import { serve, type Serving } from '../../src/index.ts';
import { DiskTaskStore } from '../../src/tasks/disk-task-store.ts';
import { LOST_TASK } from '../../src/tasks/task-store.ts';
import { send, taskRequest, type RpcAnswer } from './task-server.ts';

expectNothingLeftOpen();

/** The life of a task that expires: what is done before takes less, or is told that it came too late. */
const BRIEF_MS = 100;
const MAX_TASKS = 4;

const PRINCIPALS = ['ann', 'bob'] as const;
type PrincipalName = (typeof PRINCIPALS)[number];

/** A question of a handler: what it was answered with. */
interface Question {
  readonly text: string;
  /** What the handler got, each time that it got something. */
  readonly got: unknown[];
  /** What was sent first. */
  sent: string | undefined;
  /** Nobody waits for its answer any more. */
  isOver: boolean;
}

/** A call of the tool, as its handler sees it. */
interface Run {
  readonly call: number;
  signal: AbortSignal;
  say(progress: number, message: string): Promise<void>;
  ask(text: string): Promise<unknown>;
  end(answer: { text: string } | { error: string }): void;
}

/** What is expected of a task. */
interface ModelTask {
  readonly taskId: string;
  readonly owner: PrincipalName;
  readonly call: number;
  readonly questions: Question[];
  /** The question of each key that was ever seen. */
  readonly keys: Map<string, string>;
  status: 'working' | 'completed' | 'failed' | 'cancelled';
  /** Of a final state, as it was seen first. */
  seen: unknown;
  /** The server that ran it is gone. */
  isLost: boolean;
}

const who = fc.constantFrom(...PRINCIPALS);
const nth = fc.nat(5);
const of = <T extends string>(...types: T[]): fc.Arbitrary<T> => fc.constantFrom(...types);
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ type: of('create'), who, isAnswerLost: fc.boolean() }) },
  { weight: 6, arbitrary: fc.record({ type: of('poll'), who, nth }) },
  { weight: 3, arbitrary: fc.record({ type: of('say'), nth, progress: fc.nat(9) }) },
  { weight: 6, arbitrary: fc.record({ type: of('ask'), nth }) },
  {
    weight: 9,
    arbitrary: fc.record({
      type: of('answer'),
      who,
      nth,
      key: nth,
      as: of('once', 'once', 'twice', 'at-once-twice', 'with-others', 'unknown-key'),
    }),
  },
  { weight: 4, arbitrary: fc.record({ type: of('end'), nth, as: of('result', 'is-error') }) },
  {
    weight: 3,
    arbitrary: fc.record({ type: of('cancel'), who, nth, times: fc.integer({ min: 1, max: 2 }) }),
  },
  { weight: 1, arbitrary: fc.record({ type: of('end-and-cancel'), nth }) },
  { weight: 1, arbitrary: fc.record({ type: of('expire'), who, isEnded: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ type: of('crash') }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** The kit with a store on disk, and what is expected of it. */
class World {
  readonly tasks: ModelTask[] = [];
  readonly #runs = new Map<number, Run>();
  readonly #began: number[] = [];
  readonly #folders: string[] = [];
  #store: DiskTaskStore | undefined;
  #served: Serving | undefined;
  #calls = 0;
  #questions = 0;

  async start(): Promise<void> {
    this.#folders.push(await mkdtemp(join(tmpdir(), 'longwire-model-')));
    await this.#serve();
  }

  async close(): Promise<void> {
    await this.#stop();
    for (const folder of this.#folders) await removeFolder(folder);
  }

  async #serve(): Promise<void> {
    this.#store = await DiskTaskStore.open(this.#folders.at(-1) ?? '');
    this.#served = await serve({
      create: () => this.#server(),
      auth: ({ headers }) => ({ id: String(headers['x-user']) }),
      tasks: {
        work: { task: 'required', pollIntervalMs: 1 },
        brief: { task: 'required', ttlMs: BRIEF_MS },
      },
      stores: { tasks: this.#store },
    });
  }

  async #stop(): Promise<void> {
    await this.#served?.close();
    await this.#store?.close();
  }

  /** The server has ended without a word: what was on its disk then is all that the next one has. */
  async #crash(): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), 'longwire-model-'));
    await cp(this.#folders.at(-1) ?? '', folder, { recursive: true });
    this.#folders.push(folder);
    for (const task of this.tasks) {
      if (task.status !== 'working') continue;
      task.status = 'failed';
      task.isLost = true;
      for (const question of task.questions) question.isOver = true;
    }
    await this.#stop();
    this.#runs.clear();
    await this.#serve();
  }

  #server(): McpServer {
    const server = new McpServer({ name: 'model', version: '1' });
    for (const name of ['work', 'brief'])
      server.registerTool(
        name,
        { inputSchema: z.object({ call: z.number() }) },
        ({ call }, { mcpReq }) =>
          new Promise((resolve, reject) => {
            this.#began.push(call);
            this.#runs.set(call, {
              call,
              signal: mcpReq.signal,
              say: async (progress, message) => {
                const progressToken = mcpReq._meta?.progressToken ?? '';
                await mcpReq.notify({
                  method: 'notifications/progress',
                  params: { progressToken, progress, message },
                });
              },
              ask: async (message) => {
                const requestedSchema = {
                  type: 'object' as const,
                  properties: { text: { type: 'string' as const } },
                };
                const answer = await mcpReq.elicitInput({ message, requestedSchema });
                return answer.content?.['text'];
              },
              end: (answer) => {
                if ('error' in answer) reject(new Error(answer.error));
                else resolve({ content: [{ type: 'text', text: answer.text }] });
              },
            });
          }),
      );
    return server;
  }

  #send(as: PrincipalName, method: string, params: Record<string, unknown>): Promise<RpcAnswer> {
    return send(this.#served?.url ?? '', taskRequest(method, params), { 'x-user': as });
  }

  #get(as: PrincipalName, taskId: string): Promise<RpcAnswer> {
    return this.#send(as, 'tasks/get', { taskId });
  }

  /** What somebody is answered who asks for what is not theirs: as if there were nothing. */
  async #expectNothing(as: PrincipalName, method: string, { taskId }: ModelTask): Promise<void> {
    const params = { inputResponses: { 'input-1': { action: 'accept', content: { text: 'x' } } } };
    const answer = await this.#send(as, method, { taskId, ...params });
    const none = await this.#send(as, method, { taskId: 'no-such-task', ...params });
    expect(answer).toEqual(none);
    expect(answer.error?.code).toBe(-32_602);
  }

  async take(taken: Step): Promise<void> {
    switch (taken.type) {
      case 'create':
        return this.#create(taken.who, taken.isAnswerLost);
      case 'expire':
        return this.#expire(taken.who, taken.isEnded);
      case 'crash':
        return this.#crash();
      default:
    }
    const task = at(this.tasks, taken.nth);
    if (task === undefined) return;
    const run = task.isLost ? undefined : this.#runs.get(task.call);
    const isWorking = task.status === 'working';
    switch (taken.type) {
      case 'poll':
        if (taken.who !== task.owner) return this.#expectNothing(taken.who, 'tasks/get', task);
        return this.#check(task);
      case 'say': {
        if (!isWorking) return;
        const message = `said ${taken.progress}`;
        await run?.say(taken.progress, message);
        await this.#until(task, ({ statusMessage }) => statusMessage === message);
        return;
      }
      case 'ask':
        if (isWorking && run !== undefined) await this.#ask(task, run);
        return;
      case 'answer': {
        if (taken.who !== task.owner) return this.#expectNothing(taken.who, 'tasks/update', task);
        return this.#answer(task, taken.key, taken.as);
      }
      case 'end': {
        if (!isWorking || run === undefined) return;
        this.#end(task, run, taken.as);
        await this.#until(task, ({ status }) => status === 'completed');
        return;
      }
      case 'cancel': {
        if (taken.who !== task.owner) return this.#expectNothing(taken.who, 'tasks/cancel', task);
        const asked = Array.from({ length: taken.times }, () =>
          this.#send(task.owner, 'tasks/cancel', { taskId: task.taskId }),
        );
        for (const { error } of await Promise.all(asked)) expect(error).toBeUndefined();
        if (task.isLost && task.seen === undefined) {
          // Nobody has asked for it since its server is gone.
          task.isLost = false;
          this.#cancelled(task);
        }
        if (!isWorking) return this.#check(task);
        this.#cancelled(task);
        await this.#until(task, ({ status }) => status === 'cancelled');
        expect(run?.signal.aborted).toBe(true);
        // Whatever its handler says now is too late.
        run?.end({ text: 'too late' });
        return this.#check(task);
      }
      case 'end-and-cancel': {
        if (!isWorking || run === undefined) return;
        this.#end(task, run, 'result');
        await this.#send(task.owner, 'tasks/cancel', { taskId: task.taskId });
        const { status } = await this.#until(task, ({ status }) => isFinal(status));
        expect(status).not.toBe('failed');
        if (status === 'cancelled') this.#cancelled(task);
        return this.#check(task);
      }
      default:
    }
  }

  async #create(as: PrincipalName, isAnswerLost: boolean): Promise<void> {
    if (this.tasks.length >= MAX_TASKS) return;
    const call = this.#calls++;
    const created = await this.#send(as, 'tools/call', { name: 'work', arguments: { call } });
    await until(() => this.#runs.has(call));
    if (isAnswerLost) return;
    const { resultType, taskId, status } = created.result ?? {};
    expect({ resultType, status }).toEqual({ resultType: 'task', status: 'working' });
    expect(this.tasks.map((task) => task.taskId)).not.toContain(taskId);
    this.tasks.push({
      taskId: String(taskId),
      owner: as,
      call,
      questions: [],
      keys: new Map(),
      status: 'working',
      seen: undefined,
      isLost: false,
    });
  }

  async #expire(as: PrincipalName, isEnded: boolean): Promise<void> {
    const call = this.#calls++;
    const created = await this.#send(as, 'tools/call', { name: 'brief', arguments: { call } });
    const taskId = String(created.result?.['taskId']);
    await until(() => this.#runs.has(call));
    if (isEnded) this.#runs.get(call)?.end({ text: 'soon gone' });
    const none = await this.#get(as, 'no-such-task');
    await until(async () => expect(await this.#get(as, taskId)).toEqual(none));
    if (!isEnded) await until(() => this.#runs.get(call)?.signal.aborted === true);
    this.#runs.get(call)?.end({ text: 'too late' });
    for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
      const { error } = await this.#send(as, method, { taskId, inputResponses: {} });
      expect(error).toEqual(none.error);
    }
  }

  async #ask(task: ModelTask, run: Run): Promise<void> {
    const text = `question ${++this.#questions}`;
    const question: Question = { text, got: [], sent: undefined, isOver: false };
    task.questions.push(question);
    run.ask(text).then(
      (answer) => question.got.push(answer),
      () => {},
    );
    await this.#until(task, (record) => openOf(record).some(([, asked]) => asked === text));
  }

  async #answer(
    task: ModelTask,
    key: number,
    as: Extract<Step, { type: 'answer' }>['as'],
  ): Promise<void> {
    const { taskId, owner, questions } = task;
    const record = await this.#read(task);
    const open = openOf(record);
    const chosen = as === 'unknown-key' ? undefined : at(open, key);
    const update = async (inputResponses: object): Promise<void> => {
      const { error, result } = await this.#send(owner, 'tasks/update', { taskId, inputResponses });
      expect(error).toBeUndefined();
      expect(result).toMatchObject({ resultType: 'complete' });
    };
    const answerOf = (text: string): object => ({ action: 'accept', content: { text } });
    if (chosen === undefined) {
      await update({ 'made-up': answerOf('x'), constructor: answerOf('y') });
      return this.#check(task);
    }
    const [name, text] = chosen;
    const question = questions.find((each) => each.text === text);
    if (question === undefined) throw new Error(`nobody asked ${text}`);
    const others = as === 'with-others' ? { 'made-up': answerOf('x') } : {};
    const first = update({ ...others, [name]: answerOf(`answer to ${text}`) });
    if (as === 'at-once-twice') await update({ [name]: answerOf(`answer to ${text}`) });
    await first;
    // The same key is answered again, otherwise.
    if (as === 'twice') await update({ [name]: answerOf('another answer') });
    question.sent = `answer to ${text}`;
    await until(() => question.got.length > 0);
    const rest = await this.#until(task, (now) => !openOf(now).some(([other]) => other === name));
    expect(openOf(rest).map(([, asked]) => asked)).toEqual(
      open.filter(([other]) => other !== name).map(([, asked]) => asked),
    );
    await this.#check(task);
  }

  #end(task: ModelTask, run: Run, as: 'result' | 'is-error'): void {
    task.status = 'completed';
    for (const question of task.questions) question.isOver = true;
    if (as === 'result') run.end({ text: `result of ${task.call}` });
    else run.end({ error: `result of ${task.call}` });
  }

  #cancelled(task: ModelTask): void {
    task.status = 'cancelled';
    for (const question of task.questions) question.isOver = true;
  }

  async #until(
    task: ModelTask,
    isSo: (record: Record<string, unknown>) => boolean,
  ): Promise<Record<string, unknown>> {
    let record: Record<string, unknown> = {};
    await until(async () => {
      record = await this.#read(task);
      return isSo(record);
    });
    return record;
  }

  async #read({ owner, taskId, keys }: ModelTask): Promise<Record<string, unknown>> {
    const { result = {} } = await this.#get(owner, taskId);
    for (const [key, text] of openOf(result)) {
      // A key is never used for another question.
      expect(keys.get(key) ?? text).toBe(text);
      keys.set(key, text);
    }
    return result;
  }

  /** Compares what the server says of a task with what is expected. */
  async #check(task: ModelTask): Promise<void> {
    const { taskId, call, questions, status } = task;
    const record = await this.#read(task);
    expect(record).toMatchObject({ resultType: 'complete', taskId });
    const open = questions.filter(({ sent, isOver }) => sent === undefined && !isOver);
    if (status === 'working') {
      expect(record?.['status']).toBe(open.length > 0 ? 'input_required' : 'working');
      expect(openOf(record).map(([, text]) => text)).toEqual(open.map(({ text }) => text));
    } else {
      expect(record?.['status']).toBe(status);
      expect(record).not.toHaveProperty('inputRequests');
      // A final state is the same for ever. A server that was started again learns later who it is.
      const { _meta: _, ...seen } = record;
      task.seen ??= seen;
      expect(seen).toEqual(task.seen);
    }
    if (status === 'completed') {
      expect(record).toMatchObject({ result: { content: [{ text: `result of ${call}` }] } });
    } else expect(record).not.toHaveProperty('result');
    if (task.isLost) expect(record).toMatchObject({ error: LOST_TASK });
    expect(this.#began.filter((began) => began === call)).toHaveLength(1);
    for (const { got, sent } of questions) {
      expect(got).toEqual(sent === undefined ? [] : [sent]);
    }
  }

  async checkAll(): Promise<void> {
    for (const task of this.tasks) await this.#check(task);
  }
}

function at<T>(list: readonly T[], index: number): T | undefined {
  return list[index % Math.max(1, list.length)];
}

function isFinal(status: unknown): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled';
}

/** What a task asks for: keys, and the texts of the questions. */
function openOf(record: Record<string, unknown> = {}): [key: string, text: string][] {
  const requests = (record['inputRequests'] ?? {}) as Record<
    string,
    { params: { message: string } }
  >;
  return Object.entries(requests).map(([key, { params }]) => [key, params.message]);
}

it(
  "a task of the kit has one end, asks each question once and is its owner's",
  { timeout: 300_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), async (steps) => {
        const world = new World();
        await world.start();
        try {
          for (const each of steps) await world.take(each);
          await world.checkAll();
        } finally {
          await world.close();
        }
      }),
      { numRuns: Number(process.env['TASK_RUNS'] ?? 40) },
    );
  },
);
