import { pick, seldom, withProperty, type Table } from './mutation.ts';
import {
  oddSomewhere,
  oddText,
  oddValue,
  withoutSomething,
  withSomethingMore,
} from './odd-values.ts';

const MIB = 2 ** 20;

const BLOCKS: readonly unknown[] = [
  { type: 'unknown', text: 'x' },
  { type: 'text' },
  { type: 'text', text: 1 },
  { type: 'image', data: 'not base64 %%%', mimeType: 'image/png' },
  { type: 'image', data: null, mimeType: null },
  { type: 'audio', data: '', mimeType: '\u001b[31m' },
  { type: 'resource', resource: {} },
  { type: 'resource', resource: { uri: '\u001b]0;title\u0007', text: null, blob: 1 } },
  { type: 'resource_link', uri: 'javascript:alert(1)', name: '\u009b2K' },
  { type: '__proto__' },
  {},
  null,
  'text',
  [],
];

const TASKS: readonly unknown[] = [
  { resultType: 'task', task: { taskId: 'x', status: 'working' } },
  { resultType: 'task', task: null },
  { resultType: 'task', taskId: 1, status: 'no such status', pollInterval: -1 },
  { task: { taskId: '', status: 'completed', ttl: 1e308, pollInterval: 0 } },
];

const INPUT_REQUESTS: readonly unknown[] = [
  null,
  [],
  {},
  { a: null },
  { a: { method: 'no/such', params: null } },
  { a: { method: 'elicitation/create', params: { message: 'name?', requestedSchema: null } } },
  { a: { method: 'roots/list' }, b: { method: 'roots/list', params: {} } },
  { a: { method: 'sampling/createMessage', params: { messages: 'x', maxTokens: -1 } } },
];

/** Odd results of calls, and of whatever else is asked. */
export const CALL_MUTATIONS: Table<unknown> = {
  'not-an-object': (_, random) => oddValue(random),
  'odd-value': oddSomewhere,
  'missing-property': withoutSomething,
  'further-property': withSomethingMore,
  empty: () => ({}),
  content: (result, random) => withProperty(result, 'content', oddValue(random)),
  'content-block': (result, random) => withProperty(result, 'content', [pick(random, BLOCKS)]),
  'content-blocks': (result) => withProperty(result, 'content', BLOCKS),
  'content-text': (result, random) =>
    withProperty(result, 'content', [{ type: 'text', text: oddText(random) }]),
  'content-many': seldom((result) =>
    withProperty(
      result,
      'content',
      Array.from({ length: 50_000 }, (_, n) => ({ type: 'text', text: `${n}` })),
    ),
  ),
  'content-large': seldom((result) =>
    withProperty(result, 'content', [{ type: 'text', text: 'x'.repeat(16 * MIB) }]),
  ),
  'content-image-large': seldom((result) =>
    withProperty(result, 'content', [
      { type: 'image', data: 'A'.repeat(8 * MIB), mimeType: 'image/png' },
    ]),
  ),
  structured: (result, random) => withProperty(result, 'structuredContent', oddValue(random)),
  'structured-further': (result, random) =>
    withProperty(result, 'structuredContent', { text: oddText(random), more: oddValue(random) }),
  'is-error': (result, random) =>
    withProperty(result, 'isError', pick(random, [true, 'yes', 1, {}])),
  meta: (result, random) => withProperty(result, '_meta', oddValue(random)),
  'meta-null': (result) => withProperty(result, '_meta', null),
  // The shape of a result in protocol 2024-10-07.
  'tool-result': (_, random) => ({ toolResult: oddValue(random) }),
  'result-type': (result, random) => withProperty(result, 'resultType', oddValue(random)),
  task: (_, random) => pick(random, TASKS),
  'input-required': (_, random) => ({
    resultType: 'input_required',
    inputRequests: pick(random, INPUT_REQUESTS),
    requestState: oddValue(random),
  }),
};
