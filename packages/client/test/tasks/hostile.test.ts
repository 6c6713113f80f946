import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  said,
  startRawTaskServer,
  taskOf,
  TASKS_EXTENSION,
  type RawTaskServer,
  type RawTaskServerOptions,
} from '../../../../test/support/raw-task-server.ts';
import { createClient, LongwireError, textOf } from '../../src/index.ts';

/** What a call is given: what never ends by itself ends by this. */
const TIMEOUT_MS = 6000;
const DEADLINE_MS = 8000;
/** On a machine with other things to do. */
const SLACK_MS = 15_000;
/** A poll each 100 ms at most, and some more. */
const MAX_REQUESTS = 200;
const MIB = 2 ** 20;

/** What became of a call. */
interface Outcome {
  /** `result: TEXT`, or `error: CODE, CERTAINTY`. */
  readonly said: string;
  readonly message: string;
  readonly elapsedMs: number;
  readonly requests: number;
  readonly cancels: number;
  readonly asked: string[];
  readonly taskId: unknown;
  readonly heapBytes: number;
}

interface Case {
  /** Continues "a server". */
  readonly name: string;
  readonly options: RawTaskServerOptions;
  /** What may become of a call. */
  readonly ends: RegExp;
  /** Further promises. */
  readonly check?: (outcome: Outcome, server: RawTaskServer) => void;
  readonly deadlineMs?: number;
  readonly maxRequests?: number;
  /** It takes the processor: nothing else runs meanwhile. */
  readonly isHeavy?: true;
}

const DONE = /^result: done$/;
const CLEAR = /^error: (protocol|server-error|limit-exceeded), (answered|outcome-unknown)$/;
const IN_TIME = /^error: (timeout|deadline|limit-exceeded|protocol), outcome-unknown$/;

const done = (more: Record<string, unknown> = {}): { result: unknown } => ({
  result: {
    resultType: 'complete',
    ...taskOf('modern'),
    status: 'completed',
    result: said('done'),
    ...more,
  },
});
const working = (more: Record<string, unknown> = {}): { result: unknown } => ({
  result: { resultType: 'complete', ...taskOf('modern'), ...more },
});
const created = (more: Record<string, unknown>): { result: unknown } => ({
  result: { resultType: 'task', ...taskOf('modern'), ...more },
});
const question = (message: string): object => ({
  method: 'elicitation/create',
  params: { mode: 'form', message, requestedSchema: { type: 'object', properties: {} } },
});
/** Does this to the first `tasks/get`s, and then well. */
const get = (first: ReturnType<typeof working>, times = 1): RawTaskServerOptions => ({
  on: { 'tasks/get': ({ count }) => (count < times ? first : done()) },
});
const always = (answer: object): RawTaskServerOptions => ({
  on: { 'tasks/get': () => answer as { result: unknown } },
});
const create = (more: Record<string, unknown>): RawTaskServerOptions => ({
  on: { 'tools/call': () => created(more), 'tasks/get': () => done(more) },
});

const MODERN: readonly Case[] = [
  { name: 'that does well', options: get(working()), ends: DONE },
  // Whose task it is.
  {
    name: 'that answers for another task than was asked for',
    options: always(done({ taskId: 'another', result: said('of another') })),
    ends: CLEAR,
  },
  {
    name: 'whose id changes from answer to answer',
    options: {
      on: { 'tasks/get': ({ count }) => working({ taskId: `task-${count + 1}` }) },
    },
    ends: CLEAR,
  },
  { name: 'that makes a task without an id', options: create({ taskId: undefined }), ends: CLEAR },
  { name: 'that makes a task with an empty id', options: create({ taskId: '' }), ends: CLEAR },
  {
    name: 'that makes a task with a number for an id',
    options: create({ taskId: 5 }),
    ends: CLEAR,
  },
  {
    name: 'that makes a task with a long id',
    isHeavy: true,
    options: create({ taskId: 'x'.repeat(MIB) }),
    ends: CLEAR,
  },
  {
    name: 'that makes a task whose id cannot be written in a header',
    options: create({ taskId: 'a\r\nx-injected: 1 é \u{1F600}' }),
    ends: DONE,
    check: (_, { requests }) => {
      const asked = requests.filter(({ method }) => method === 'tasks/get');
      expect(asked.map(({ headers }) => headers['x-injected'])).toEqual([undefined]);
      expect(asked[0]?.headers['mcp-name']).toMatch(/^=\?base64\?/);
    },
  },
  {
    name: 'that makes a task with the name of a member of objects for an id',
    options: create({ taskId: '__proto__' }),
    ends: DONE,
  },
  // States.
  {
    name: 'that names a status that there is not',
    options: always(working({ status: 'submitted' })),
    ends: /^error: (protocol|timeout|deadline), /,
  },
  {
    name: 'whose status is no text',
    options: always(working({ status: { working: true } })),
    ends: /^error: (protocol|timeout|deadline), /,
  },
  {
    name: 'whose status goes back from asking to working, and on',
    options: {
      on: {
        'tasks/get': ({ count }) =>
          [
            working({ status: 'input_required', inputRequests: { a: question('a') } }),
            working(),
            working({ status: 'input_required', inputRequests: { a: question('a') } }),
          ][count] ?? done(),
      },
    },
    ends: DONE,
    check: ({ asked }) => expect(asked).toEqual(['a']),
  },
  {
    name: 'that completes without a result',
    options: always(done({ result: undefined })),
    ends: CLEAR,
  },
  { name: 'that completes with null', options: always(done({ result: null })), ends: CLEAR },
  { name: 'that completes with a text', options: always(done({ result: 'done' })), ends: CLEAR },
  {
    name: 'whose result has no content',
    options: always(done({ result: { content: 'done' } })),
    ends: DONE,
  },
  {
    name: 'whose result is a task',
    options: always(
      done({ result: { resultType: 'task', ...taskOf('modern', { taskId: 'inner' }) } }),
    ),
    ends: CLEAR,
  },
  {
    name: 'whose result asks for input',
    options: always(
      done({ result: { resultType: 'input_required', inputRequests: { a: question('a') } } }),
    ),
    ends: CLEAR,
  },
  {
    name: 'that fails without an error',
    options: always(working({ status: 'failed' })),
    ends: CLEAR,
  },
  {
    name: 'that fails with an error of other types',
    options: always(working({ status: 'failed', error: { code: 'x', message: { a: 1 } } })),
    ends: CLEAR,
  },
  {
    name: 'that fails with a certainty that there is not',
    options: always(
      working({
        status: 'failed',
        error: { code: -32_603, message: 'no', data: { certainty: 'surely' } },
      }),
    ),
    ends: /^error: server-error, answered$/,
  },
  {
    name: 'that says in its error that the outcome is not known',
    options: always(
      working({
        status: 'failed',
        error: { code: -32_603, message: 'no', data: { certainty: 'outcome-unknown' } },
      }),
    ),
    ends: /^error: server-error, outcome-unknown$/,
  },
  {
    name: 'that says with control sequences what is the matter',
    options: always(
      working({
        status: 'failed',
        statusMessage: '\u001b]0;owned\u0007',
        error: { code: -32_603, message: '\u001b[2Jno' },
      }),
    ),
    ends: /^error: server-error, answered$/,
  },
  {
    name: 'that cancels by itself',
    options: always(working({ status: 'cancelled' })),
    ends: /^error: [a-z-]+, (answered|outcome-unknown)$/,
  },
  // Questions.
  {
    name: 'that asks without a question',
    options: get(working({ status: 'input_required' })),
    ends: /^result: done$|^error: protocol, /,
  },
  {
    name: 'that asks with a list of questions',
    options: always(working({ status: 'input_required', inputRequests: [question('a')] })),
    ends: /^error: (protocol|timeout|deadline), outcome-unknown$/,
    check: ({ asked }) => expect(asked).toEqual([]),
  },
  {
    name: 'that asks thousands of questions at once',
    isHeavy: true,
    options: always(
      working({
        status: 'input_required',
        inputRequests: Object.fromEntries(
          Array.from({ length: 20_000 }, (_, index) => [`key-${index}`, question(`${index}`)]),
        ),
      }),
    ),
    ends: IN_TIME,
    check: ({ asked }) => expect(asked.length).toBeLessThan(1000),
  },
  {
    name: 'that asks for ever under new keys',
    options: {
      on: {
        'tasks/get': ({ count }) =>
          working({
            status: 'input_required',
            inputRequests: { [`key-${count}`]: question('again') },
          }),
      },
    },
    ends: IN_TIME,
    maxRequests: 250,
    check: ({ asked }) => expect(asked.length).toBeLessThan(101),
  },
  {
    name: 'that uses a key for two questions',
    options: {
      on: {
        'tasks/get': ({ count }) =>
          count < 2
            ? working({
                status: 'input_required',
                inputRequests: { a: question(count === 0 ? 'first' : 'second') },
              })
            : done(),
      },
    },
    ends: /^result: done$|^error: protocol, /,
    check: ({ asked }) => expect(asked).toEqual(['first']),
  },
  {
    name: 'whose keys are members of objects',
    options: {
      on: {
        'tasks/get': (_, server) =>
          server.count('tasks/update') > 0
            ? done()
            : {
                ...working({
                  status: 'input_required',
                  inputRequests: Object.fromEntries([
                    ['__proto__', question('p')],
                    ['constructor', question('c')],
                  ]),
                }),
              },
      },
    },
    ends: DONE,
    check: ({ asked }) => expect([...asked].sort()).toEqual(['c', 'p']),
  },
  {
    name: 'that asks for a call of a tool',
    options: always(
      working({
        status: 'input_required',
        inputRequests: { a: { method: 'tools/call', params: { name: 'long' } } },
      }),
    ),
    ends: /^error: [a-z-]+, (answered|outcome-unknown)$/,
  },
  {
    name: 'that never takes an answer',
    options: {
      on: {
        'tasks/get': () =>
          working({ status: 'input_required', inputRequests: { a: question('a') } }),
        'tasks/update': () => ({ error: { code: -32_603, message: 'not now' } }),
      },
    },
    // It is told five times at most, and then cancelled.
    ends: /^error: protocol, outcome-unknown$/,
    check: ({ asked }) => expect(asked).toEqual(['a']),
  },
  // Numbers and dates.
  ...[0, -1, -1e308, 0.0001, '1000', '', null, {}, [], true].map((pollIntervalMs): Case => ({
    name: `whose pollIntervalMs is ${JSON.stringify(pollIntervalMs)}`,
    options: get(working({ pollIntervalMs }), 2),
    ends: /^result: done$|^error: protocol, /,
  })),
  {
    name: 'whose pollIntervalMs is 1e308',
    options: get(working({ pollIntervalMs: 1e308 })),
    deadlineMs: 20_000,
    ends: DONE,
  },
  ...[0, -1, 1, 1e308, '60000', {}, true].map((ttlMs): Case => ({
    name: `whose ttlMs is ${JSON.stringify(ttlMs)}`,
    options: get(working({ ttlMs }), 2),
    ends: /^result: done$|^error: protocol, /,
  })),
  ...['', 'yesterday', 5, null, {}, '9999-99-99T99:99:99Z'].map((date): Case => ({
    name: `whose dates are ${JSON.stringify(date)}`,
    options: get(working({ createdAt: date, lastUpdatedAt: date }), 2),
    ends: /^result: done$|^error: protocol, /,
  })),
  {
    name: 'whose message has control sequences',
    options: get(working({ statusMessage: '\u001b]0;owned\u0007\u009b2J' })),
    ends: DONE,
  },
  {
    name: 'whose message is no text',
    options: get(working({ statusMessage: { a: ['b'] } })),
    ends: /^result: done$|^error: protocol, /,
  },
  {
    name: 'whose progress is none',
    options: get(
      working({ _meta: { 'longwire/progress': { progress: 'x', total: {}, message: 5 } } }),
      2,
    ),
    ends: DONE,
  },
  {
    name: 'whose message has 8 MiB',
    isHeavy: true,
    options: get(working({ statusMessage: 'x'.repeat(8 * MIB) })),
    ends: /^result: done$|^error: limit-exceeded, /,
  },
  // How it travels.
  ...[404, 429, 500, 502, 503].map((http): Case => ({
    name: `that answers a poll with ${http}, once`,
    options: { on: { 'tasks/get': ({ count }) => (count === 0 ? { http } : done()) } },
    ends: /^result: done$|^error: http-status, outcome-unknown$/,
  })),
  ...[401, 403, 404, 500].map((http): Case => ({
    name: `that answers every poll with ${http}`,
    options: { on: { 'tasks/get': () => ({ http }) } },
    ends: /^error: (http-status|unauthorized|forbidden|timeout|deadline), outcome-unknown$/,
  })),
  {
    name: 'that answers polls with a page',
    options: { on: { 'tasks/get': () => ({ http: 200 }) } },
    ends: /^error: [a-z-]+, outcome-unknown$/,
  },
  {
    name: 'that answers polls with nothing',
    options: { on: { 'tasks/get': () => ({ http: 200, body: '', type: 'application/json' }) } },
    ends: /^error: [a-z-]+, outcome-unknown$/,
  },
  {
    name: 'that answers polls with half of a message',
    options: { on: { 'tasks/get': () => ({ raw: '{"jsonrpc":"2.0","id":1,"result":{"task' }) } },
    ends: /^error: [a-z-]+, outcome-unknown$/,
  },
  {
    name: 'that cuts every second poll',
    options: {
      on: {
        'tasks/get': ({ count }) => (count % 2 === 0 ? 'cut' : count < 5 ? working() : done()),
      },
    },
    ends: DONE,
  },
  {
    name: 'that answers no poll',
    options: { on: { 'tasks/get': () => 'silent' } },
    ends: /^error: (timeout|deadline), outcome-unknown$/,
    check: ({ cancels }) => expect(cancels).toBe(1),
  },
  {
    name: 'that works for ever',
    options: {},
    ends: /^error: (timeout|deadline), outcome-unknown$/,
    check: ({ cancels, taskId }) => expect([cancels, taskId]).toEqual([1, 'task-1']),
  },
  {
    name: 'that forgot the task',
    options: {
      on: {
        'tasks/get': ({ count }) =>
          count === 0 ? working() : { error: { code: -32_602, message: 'Task not found' } },
      },
    },
    ends: /^error: server-error, outcome-unknown$/,
  },
  {
    name: 'that refuses polls',
    options: always({ error: { code: -32_601, message: 'Method not found' } }),
    ends: /^error: [a-z-]+, outcome-unknown$/,
  },
  {
    name: 'whose result has 50 MiB',
    isHeavy: true,
    options: always(done({ result: said('x'.repeat(50 * MIB)) })),
    deadlineMs: 30_000,
    ends: /^result: x+$/,
  },
  // What is said unasked.
  {
    name: 'that tells of a task that it has not made yet',
    options: {
      listens: true,
      on: {
        'tools/call': (_, server) => {
          server.notify('notifications/tasks', { ...taskOf('modern'), status: 'completed' });
          return undefined;
        },
        'tasks/get': () => done(),
      },
    },
    ends: DONE,
  },
  {
    name: 'that tells of the tasks of others, thousands of times',
    isHeavy: true,
    options: {
      listens: true,
      on: {
        'tasks/get': (_, server) => {
          for (let index = 0; index < 5000; index += 1) {
            server.notify('notifications/tasks', {
              ...taskOf('modern', { taskId: `another-${index}`, status: 'completed' }),
              result: said('of another'),
            });
          }
          server.notify('notifications/tasks', {
            ...taskOf('modern'),
            status: 'completed',
            result: said('done'),
          });
          return working();
        },
      },
    },
    ends: DONE,
  },
  {
    name: 'that tells nonsense of the task',
    // It offers to tell, and does not: it is asked all the same, now and then.
    deadlineMs: 20_000,
    options: {
      listens: true,
      on: {
        'tasks/get': ({ count }, server) => {
          for (const odd of [
            {},
            { taskId: null },
            { taskId: 'task-1' },
            { taskId: 'task-1', status: 5 },
          ]) {
            server.notify('notifications/tasks', odd);
          }
          return count < 1 ? working() : done();
        },
      },
    },
    ends: /^result: done$|^error: protocol, /,
  },
  {
    name: 'that tells the forms of the other era',
    // It offers to tell, and does not: it is asked all the same, now and then.
    deadlineMs: 20_000,
    options: {
      listens: true,
      on: {
        'tasks/get': ({ count }, server) => {
          server.notify('notifications/tasks/status', taskOf('legacy', { status: 'completed' }));
          return count < 1 ? working() : done();
        },
      },
    },
    ends: DONE,
  },
  // The other era.
  {
    name: 'that makes tasks as the other era does',
    options: {
      on: {
        'tools/call': () => ({ result: { task: taskOf('legacy') } }),
        'tasks/get': () => done(),
      },
    },
    ends: DONE,
  },
  {
    name: 'that tells of tasks as the other era does',
    options: always({
      result: { resultType: 'complete', task: taskOf('legacy', { status: 'completed' }) },
    }),
    ends: CLEAR,
  },
];

/** What the tasks of 2025-11-25 are answered with, when all is well. */
const old = (more: Record<string, unknown> = {}): { result: unknown } => ({
  result: taskOf('legacy', more),
});
const ended = old({ status: 'completed' });
const legacy = (on: RawTaskServerOptions['on'] = {}): RawTaskServerOptions => ({
  era: 'legacy',
  on: { 'tasks/get': () => ended, 'tasks/result': () => ({ result: said('done') }), ...on },
});
const made = (task: unknown): RawTaskServerOptions =>
  legacy({ 'tools/call': () => ({ result: { task } }) });

const LEGACY: readonly Case[] = [
  { name: 'that does well', options: legacy(), ends: DONE },
  {
    name: 'that answers at once, though a task was asked for',
    options: legacy({ 'tools/call': () => ({ result: said('done') }) }),
    ends: DONE,
  },
  ...[{}, { taskId: 5, status: 'working' }, { taskId: '', status: 'working' }].map(
    (task): Case => ({
      name: `that makes the task ${JSON.stringify(task)}`,
      options: made(task),
      ends: CLEAR,
    }),
  ),
  {
    name: 'that makes a task with a long id',
    options: made(taskOf('legacy', { taskId: 'x'.repeat(MIB) })),
    ends: CLEAR,
  },
  {
    name: 'that makes tasks as the other era does',
    options: legacy({
      'tools/call': () => ({ result: { resultType: 'task', ...taskOf('modern') } }),
    }),
    ends: DONE,
  },
  {
    name: 'that answers for another task than was asked for',
    options: legacy({
      'tasks/get': () => old({ taskId: 'another', status: 'completed' }),
      'tasks/result': () => 'silent',
    }),
    ends: CLEAR,
  },
  {
    name: 'that works for ever',
    options: legacy({ 'tasks/get': () => old(), 'tasks/result': () => 'silent' }),
    ends: /^error: (timeout|deadline), outcome-unknown$/,
    check: ({ cancels, taskId }) => expect([cancels, taskId]).toEqual([1, 'task-1']),
  },
  {
    name: 'that answers nothing about its tasks',
    options: legacy({ 'tasks/get': () => 'silent', 'tasks/result': () => 'silent' }),
    ends: /^error: (timeout|deadline), outcome-unknown$/,
    check: ({ cancels }) => expect(cancels).toBe(1),
  },
  {
    name: 'that gives the result too early, as an error',
    options: legacy({
      'tasks/get': ({ count }) => (count < 3 ? old() : ended),
      'tasks/result': (_, server) =>
        server.count('tasks/get') < 3
          ? { error: { code: -32_602, message: 'Task not completed yet' } }
          : { result: said('done') },
    }),
    ends: DONE,
  },
  {
    name: 'whose result is a task',
    options: legacy({
      'tasks/result': () => ({ result: { task: taskOf('legacy', { taskId: 'inner' }) } }),
    }),
    ends: /^error: [a-z-]+, (answered|outcome-unknown)$/,
  },
  {
    name: 'whose result is nothing',
    options: legacy({ 'tasks/result': () => ({ result: null }) }),
    ends: /^error: [a-z-]+, (answered|outcome-unknown)$/,
  },
  {
    name: 'whose result is a page',
    options: legacy({ 'tasks/result': () => ({ http: 200 }) }),
    ends: /^error: [a-z-]+, (answered|outcome-unknown)$/,
  },
  {
    name: 'whose result is cut each time',
    options: legacy({ 'tasks/result': () => 'cut' }),
    ends: /^error: [a-z-]+, outcome-unknown$/,
    maxRequests: 400,
  },
  {
    name: 'that refuses the result with 500',
    options: legacy({ 'tasks/result': () => ({ http: 500 }) }),
    maxRequests: 400,
    ends: /^error: [a-z-]+, outcome-unknown$/,
  },
  {
    name: 'that forgot the task',
    options: legacy({
      'tasks/get': ({ count }) =>
        count === 0 ? old() : { error: { code: -32_602, message: 'Task not found' } },
      'tasks/result': () => ({ error: { code: -32_602, message: 'Task not found' } }),
    }),
    ends: /^error: server-error, outcome-unknown$/,
  },
  {
    name: 'that fails without a word',
    options: legacy({
      'tasks/get': () => old({ status: 'failed' }),
      'tasks/result': () => ({ error: { code: -32_000, message: 'it failed' } }),
    }),
    ends: /^error: server-error, answered$/,
  },
  {
    name: 'that asks as the other era does',
    options: legacy({
      'tasks/get': () => old({ status: 'input_required', inputRequests: { a: question('a') } }),
      'tasks/result': () => 'silent',
    }),
    ends: IN_TIME,
  },
  ...[0, -1, 1e308, '1000', null, {}].flatMap((odd): Case[] => [
    {
      name: `whose pollInterval is ${JSON.stringify(odd)}`,
      options: legacy({
        'tasks/get': ({ count }) => (count < 2 ? old({ pollInterval: odd }) : ended),
      }),
      ends: DONE,
      deadlineMs: 20_000,
    },
    {
      name: `whose ttl is ${JSON.stringify(odd)}`,
      options: legacy({ 'tasks/get': ({ count }) => (count < 2 ? old({ ttl: odd }) : ended) }),
      ends: DONE,
      deadlineMs: 20_000,
    },
  ]),
  {
    name: 'that tells of the tasks of others, thousands of times',
    isHeavy: true,
    options: legacy({
      'tasks/get': ({ count }, server) => {
        for (let index = 0; index < 5000; index += 1) {
          const taskId = `another-${index}`;
          server.notify(
            'notifications/tasks/status',
            taskOf('legacy', { taskId, status: 'completed' }),
          );
        }
        return count < 1 ? old() : ended;
      },
      'tasks/result': (_, server) =>
        server.count('tasks/get') < 2 ? 'silent' : { result: said('done') },
    }),
    deadlineMs: 20_000,
    ends: DONE,
  },
  {
    name: 'that tells nonsense of the task',
    options: legacy({
      'tasks/get': ({ count }, server) => {
        for (const odd of [
          {},
          { taskId: null },
          { taskId: 'task-1' },
          { taskId: 'task-1', status: 5 },
        ]) {
          server.notify('notifications/tasks/status', odd);
        }
        return count < 2 ? old() : ended;
      },
      'tasks/result': (_, server) =>
        server.count('tasks/get') < 3 ? 'silent' : { result: said('done') },
    }),
    deadlineMs: 20_000,
    ends: /^result: done$|^error: protocol, /,
  },
];

/** Runs all of them at once: most of the time goes by with waiting. */
async function meet({
  options,
  deadlineMs = DEADLINE_MS,
}: Case): Promise<[Outcome, RawTaskServer]> {
  const { era = 'modern' } = options;
  const server = await startRawTaskServer(options);
  const asked: string[] = [];
  const client = createClient(server.url, {
    protocol: era === 'modern' ? '2026-07-28' : '2025-11-25',
    retry: { firstDelayMs: 10, maxDelayMs: 50, maxAttempts: 5 },
    handlers: {
      elicitation: ({ message }) => {
        asked.push(message);
        return { action: 'accept', content: {} };
      },
    },
  });
  const startedAt = performance.now();
  let ending = '';
  let message = '';
  let taskId: unknown;
  try {
    await client.connect();
    const timeoutMs = Math.max(TIMEOUT_MS, deadlineMs - 1000);
    const result = await client.callTool(
      'long',
      {},
      { timeoutMs, deadlineMs, onProgress: () => {} },
    );
    ending = `result: ${textOf(result)}`;
  } catch (error) {
    if (!(error instanceof LongwireError)) throw error;
    ending = `error: ${error.code}, ${error.certainty}`;
    ({ message } = error);
    ({ taskId } = error as { taskId?: unknown });
  }
  const elapsedMs = performance.now() - startedAt;
  await client.close();
  const outcome: Outcome = {
    said: ending,
    message,
    elapsedMs,
    requests: server.requests.length,
    cancels: server.count('tasks/cancel'),
    asked,
    taskId,
    heapBytes: process.memoryUsage().heapUsed,
  };
  await server[Symbol.asyncDispose]();
  return [outcome, server];
}

describe.each([
  { era: 'modern', cases: MODERN },
  { era: 'legacy', cases: LEGACY },
])('a server of the $era era', ({ cases }) => {
  const outcomes = new Map<Case, PromiseSettledResult<[Outcome, RawTaskServer]> | undefined>();
  beforeAll(async () => {
    const light = cases.filter(({ isHeavy }) => isHeavy !== true);
    const settled = await Promise.allSettled(light.map(meet));
    for (const [index, each] of light.entries()) outcomes.set(each, settled[index]);
    for (const each of cases) {
      if (outcomes.has(each)) continue;
      const [only] = await Promise.allSettled([meet(each)]);
      outcomes.set(each, only);
    }
  }, 90_000);
  afterAll(() => outcomes.clear());

  it.for(cases)('$name', (each) => {
    const settled = outcomes.get(each);
    if (settled?.status !== 'fulfilled') throw settled?.reason ?? new Error('did not run');
    const [outcome, server] = settled.value;
    expect(outcome.said.slice(0, 200), outcome.message.slice(0, 500)).toMatch(each.ends);
    expect(outcome.elapsedMs).toBeLessThan((each.deadlineMs ?? DEADLINE_MS) + SLACK_MS);
    expect(outcome.requests).toBeLessThan(each.maxRequests ?? MAX_REQUESTS);
    expect(outcome.cancels).toBeLessThan(2);
    // The words of a server are passed on as they are; ours have none of these.
    const isOurs = !outcome.said.startsWith('error: server-error');
    if (isOurs) expect(outcome.message).not.toMatch(/(?![\n\t])\p{Cc}/u);
    expect(outcome.message.length).toBeLessThan(5000);
    each.check?.(outcome, server);
  });
});

it('a task as the answer to anything but a call is no answer', async () => {
  await using server = await startRawTaskServer({
    on: { 'tools/list': () => ({ result: { resultType: 'task', ...taskOf('modern') } }) },
  });
  await using client = createClient(server.url, { protocol: '2026-07-28' });
  await expect(client.listTools()).rejects.toMatchObject({ code: 'protocol' });
  expect(server.count('tasks/get')).toBe(0);
});

it('says with each request of the modern era that it takes tasks', async () => {
  await using server = await startRawTaskServer(get(working()));
  await using client = createClient(server.url, { protocol: '2026-07-28' });
  await client.callTool('long', {});
  const capabilities = server.requests
    .filter(({ method }) => method.startsWith('t'))
    .map(({ params }) => {
      const meta = params['_meta'] as Record<string, { extensions?: object }>;
      return meta['io.modelcontextprotocol/clientCapabilities']?.extensions;
    });
  expect(new Set(capabilities.map((each) => JSON.stringify(each)))).toEqual(
    new Set([JSON.stringify({ [TASKS_EXTENSION]: {} })]),
  );
});
