import { isObject, pick, seldom, type Mutate, type Table } from './mutation.ts';
import {
  oddSomewhere,
  oddText,
  oddValue,
  withoutSomething,
  withSomethingMore,
} from './odd-values.ts';

const MIB = 2 ** 20;
const STATUSES: readonly unknown[] = [
  'working',
  'completed',
  'failed',
  'cancelled',
  'input_required',
  'submitted',
  'no such status',
  '',
  null,
  5,
  {},
];
const INTERVALS: readonly unknown[] = [0, -1, 1e308, 2 ** 31, 0.001, '1000', '', null, {}, []];
const TTLS: readonly unknown[] = [0, -1, 1, 1e308, '60000', null, {}, [], true];
const DATES: readonly unknown[] = ['', 'yesterday', 0, null, {}, '9999-99-99T99:99:99Z', '-1'];
const IDS: readonly unknown[] = ['', 'another', 5, null, {}, [], '\u001b]0;title\u0007', 'a\r\nb'];
const ERRORS: readonly unknown[] = [
  null,
  'it failed',
  {},
  { code: -32602, message: 'Task not found' },
  { code: '5', message: 5 },
  { code: -32603, message: '\u001b[2J', data: { certainty: 'not-sent' } },
  { code: -32603, message: 'x', data: { certainty: 'made up' } },
  { code: -32603, message: 'x', data: { certainty: {} } },
];
const QUESTION = {
  method: 'elicitation/create',
  params: { message: 'name?', requestedSchema: { type: 'object', properties: {} } },
};
const QUESTIONS: readonly unknown[] = [
  undefined,
  null,
  [],
  {},
  { a: null },
  { a: QUESTION },
  { a: { ...QUESTION, method: 'tools/call' } },
  { a: { method: 'no/such', params: null } },
  { a: { method: 'elicitation/create', params: { message: 1, requestedSchema: [] } } },
  { ['__proto__']: QUESTION, constructor: QUESTION },
  Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`key-${index}`, QUESTION])),
];

/** Odd tasks: what makes one, and what is answered to those who ask for it. */
export const TASK_MUTATIONS: Table<unknown> = {
  'not-an-object': (_, random) => oddValue(random),
  'odd-value': oddSomewhere,
  'missing-property': withoutSomething,
  'further-property': withSomethingMore,
  empty: () => ({}),
  id: change((random) => ({ taskId: pick(random, IDS) })),
  status: change((random) => ({ status: pick(random, STATUSES) })),
  working: change(() => ({ status: 'working', result: undefined })),
  'without-result': change(() => ({ status: 'completed', result: undefined })),
  'result-odd': change((random) => ({ status: 'completed', result: oddValue(random) })),
  'result-a-task': change(() => ({
    status: 'completed',
    result: { resultType: 'task', taskId: 'inner', status: 'working' },
  })),
  failed: change((random) => ({ status: 'failed', error: pick(random, ERRORS) })),
  cancelled: change(() => ({ status: 'cancelled' })),
  questions: change((random) => ({
    status: 'input_required',
    inputRequests: pick(random, QUESTIONS),
  })),
  'questions-many': seldom(
    change(() => ({
      status: 'input_required',
      inputRequests: Object.fromEntries(
        Array.from({ length: 20_000 }, (_, index) => [`key-${index}`, QUESTION]),
      ),
    })),
  ),
  interval: change((random) => {
    const interval = pick(random, INTERVALS);
    return { status: 'working', pollIntervalMs: interval, pollInterval: interval };
  }),
  ttl: change((random) => {
    const ttl = pick(random, TTLS);
    return { ttlMs: ttl, ttl };
  }),
  dates: change((random) => ({
    createdAt: pick(random, DATES),
    lastUpdatedAt: pick(random, DATES),
  })),
  message: change((random) => ({ status: 'working', statusMessage: oddText(random) })),
  'message-odd': change((random) => ({ status: 'working', statusMessage: oddValue(random) })),
  'message-large': seldom(
    change(() => ({ status: 'working', statusMessage: 'x'.repeat(8 * MIB) })),
  ),
  progress: change((random) => ({
    status: 'working',
    _meta: { 'longwire/progress': oddValue(random) },
  })),
  'result-type': (result, random) =>
    isObject(result)
      ? { ...result, resultType: pick(random, ['task', 'complete', 'input_required', 5]) }
      : result,
  // What the other era says.
  nested: (result) => (isObject(result) ? { task: result } : result),
  flat: (result) =>
    isObject(result) && isObject(result['task']) ? { ...result, ...result['task'] } : result,
};

/** Changes the task, in the form of either era. */
function change(changes: (random: Parameters<Mutate<unknown>>[1]) => object): Mutate<unknown> {
  return (result, random) => {
    if (!isObject(result)) return result;
    if (!isObject(result['task'])) return { ...result, ...changes(random) };
    return { ...result, task: { ...result['task'], ...changes(random) } };
  };
}
