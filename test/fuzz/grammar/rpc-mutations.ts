import { isObject, pick, seldom, type Mutate, type Table } from './mutation.ts';
import { oddText, oddValue } from './odd-values.ts';

const JSONRPC = '2.0';

const IDS: readonly unknown[] = [null, true, 1.5, -1, 0, 2 ** 53, 1e308, '', 'x', {}, [], [1]];

const ERRORS: readonly unknown[] = [
  null,
  true,
  'it failed',
  [],
  {},
  { code: -32000 },
  { message: 'no code' },
  { code: '-32000', message: 'a code of text' },
  { code: 1.5, message: 'a broken code' },
  { code: 1e308, message: 'a code beyond integers' },
  { code: null, message: null },
  { code: -32603, message: 5 },
  { code: -32603, message: { text: 'x' } },
  { code: -32603, message: '\u001b]0;title\u0007it failed', data: '\u001b[2J' },
  { code: -32603, message: 'x'.repeat(1_000_000), data: { deep: [[[[{}]]]] } },
  { code: -32601, message: 'Method not found' },
  { code: -32001, message: 'Session not found' },
  { code: -32022, message: 'Unsupported protocol version', data: { supported: null } },
  { code: -32020, message: 'Header mismatch', data: [] },
  { code: -32042, message: 'URL elicitation required', data: { elicitations: [null] } },
];

const REQUESTS: readonly unknown[] = [
  { method: 'ping', params: null },
  { method: 'ping', params: [] },
  { method: 'roots/list' },
  { method: 'roots/list', params: 'x' },
  { method: 'sampling/createMessage', params: {} },
  { method: 'sampling/createMessage', params: { messages: null, maxTokens: 'x' } },
  { method: 'elicitation/create', params: { message: 1, requestedSchema: [] } },
  {
    method: 'elicitation/create',
    params: {
      message: 'name?',
      requestedSchema: {
        type: 'object',
        properties: { text: { type: 'string', pattern: '^(a+)+$' } },
      },
    },
  },
  { method: 'elicitation/create', params: { mode: 'url', url: 'javascript:1', message: 'x' } },
  { method: '__proto__', params: {} },
  { method: '', params: {} },
  { method: 'tools/call', params: { name: 'echo' } },
];

const NOTIFICATIONS: readonly unknown[] = [
  { method: 'notifications/progress' },
  { method: 'notifications/progress', params: null },
  { method: 'notifications/progress', params: { progressToken: null, progress: 'x' } },
  { method: 'notifications/progress', params: { progressToken: 'made up', progress: 1 } },
  { method: 'notifications/progress', params: { progressToken: {}, progress: -1, total: 0 } },
  { method: 'notifications/message', params: { level: 'loud', data: null } },
  { method: 'notifications/message', params: { level: 'info', data: '\u001b]0;title\u0007' } },
  { method: 'notifications/message', params: { level: 5, logger: {} } },
  { method: 'notifications/cancelled', params: { requestId: null } },
  { method: 'notifications/cancelled', params: {} },
  { method: 'notifications/resources/updated', params: { uri: 1 } },
  { method: 'notifications/tools/list_changed', params: 'x' },
  { method: 'notifications/tasks/status', params: { taskId: null } },
  { method: 'notifications/tasks/status', params: { taskId: 'task-1', status: 'completed' } },
  { method: 'notifications/tasks', params: 'x' },
  { method: 'notifications/tasks', params: { taskId: {}, status: 5 } },
  { method: 'notifications/tasks', params: { taskId: 'task-1', status: 'completed' } },
  { method: 'notifications/tasks', params: { taskId: 'another', status: 'failed', error: null } },
  { method: 'notifications/subscriptions/acknowledged', params: { notifications: null } },
  { method: 'notifications/elicitation/complete', params: { elicitationId: [] } },
  { method: 'no/such', params: [] },
  { method: 5 },
  { method: null, params: {} },
];

/** Odd JSON-RPC around a result that may be all right. */
export const RPC_MUTATIONS: Table<unknown[]> = {
  'id-as-text': answers((answer, _, about) => ({ ...answer, id: String(about.id) })),
  'id-odd': answers((answer, random) => ({ ...answer, id: pick(random, IDS) })),
  'id-missing': answers((answer) => without(answer, 'id')),
  'id-of-another': answers((answer, _, about) => ({ ...answer, id: Number(about.id) + 1 })),
  version: answers((answer, random) => ({ ...answer, jsonrpc: pick(random, ['1.0', 2, null]) })),
  'version-missing': answers((answer) => without(answer, 'jsonrpc')),
  'result-and-error': answers((answer, random) => ({ ...answer, error: pick(random, ERRORS) })),
  'error-null': answers((answer) => ({ ...answer, error: null })),
  'neither-result-nor-error': answers((answer) => without(answer, 'result')),
  'error-odd': answers((answer, random) => ({
    ...without(answer, 'result'),
    error: pick(random, ERRORS),
  })),
  'error-without-id': answers((_, random) => ({
    jsonrpc: JSONRPC,
    id: null,
    error: pick(random, ERRORS),
  })),
  'result-odd': answers((answer, random) => ({ ...answer, result: oddValue(random) })),
  'further-property': answers((answer, random) => ({ ...answer, [oddText(random)]: 1 })),
  'method-too': answers((answer) => ({ ...answer, method: 'tools/call' })),
  batch: (messages) => [messages],
  'batch-odd': (messages, random) => [pick(random, [[], [[]], [null, ...messages], [messages]])],
  'no-message': (messages, random) => [oddValue(random), ...messages],
  'no-answer': () => [],
  twice: (messages) => [...messages, ...messages],
  'answer-first': (messages, _, about) => [
    ...messages.map((message) => ({ ...(message as object), id: Number(about.id) + 1 })),
    ...messages,
  ],
  'answers-to-all': (messages) => [
    ...messages,
    ...Array.from({ length: 200 }, (_, id) => ({ jsonrpc: JSONRPC, id, result: {} })),
  ],
  request: (messages, random) => [
    { jsonrpc: JSONRPC, id: 1, ...(pick(random, REQUESTS) as object) },
    ...messages,
  ],
  'request-id-odd': (messages, random) => [
    { jsonrpc: JSONRPC, method: 'ping', id: pick(random, IDS) },
    ...messages,
  ],
  requests: (messages) => [
    ...REQUESTS.map((request, id) => ({ jsonrpc: JSONRPC, id, ...(request as object) })),
    ...messages,
  ],
  'requests-many': seldom((messages) => [
    ...Array.from({ length: 5000 }, (_, id) => ({ jsonrpc: JSONRPC, id, method: 'roots/list' })),
    ...messages,
  ]),
  notification: (messages, random) => [
    { jsonrpc: JSONRPC, ...(pick(random, NOTIFICATIONS) as object) },
    ...messages,
  ],
  notifications: (messages) => [
    ...NOTIFICATIONS.map((each) => ({ jsonrpc: JSONRPC, ...(each as object) })),
    ...messages,
  ],
  'notifications-many': seldom((messages) => [
    ...Array.from({ length: 20_000 }, (_, n) => ({
      jsonrpc: JSONRPC,
      method: 'notifications/message',
      params: { level: 'info', data: n },
    })),
    ...messages,
  ]),
  'tasks-changed': (messages) => [
    ...Array.from({ length: 1000 }, (_, n) => ({
      jsonrpc: JSONRPC,
      method: n % 2 === 0 ? 'notifications/tasks' : 'notifications/tasks/status',
      params: { taskId: n % 3 === 0 ? 'task-1' : `made-up-${n}`, status: 'working' },
    })),
    ...messages,
  ],
  'lists-changed': (messages) => [
    ...Array.from({ length: 100 }, () => ({
      jsonrpc: JSONRPC,
      method: 'notifications/tools/list_changed',
    })),
    ...messages,
  ],
  'progress-of-this': (messages, random, about) => [
    ...Array.from({ length: 20 }, () => ({
      jsonrpc: JSONRPC,
      method: 'notifications/progress',
      params: { progressToken: tokenOf(about.params), progress: oddValue(random), total: '' },
    })),
    ...messages,
  ],
  'progress-after': (messages, _, about) => [
    ...messages,
    {
      jsonrpc: JSONRPC,
      method: 'notifications/progress',
      params: { progressToken: tokenOf(about.params), progress: 1 },
    },
  ],
  'cancels-this': (messages, _, about) => [
    { jsonrpc: JSONRPC, method: 'notifications/cancelled', params: { requestId: about.id } },
    ...messages,
  ],
};

/** Changes what answers, and leaves alone what else is said. */
function answers(mutate: Mutate<Record<string, unknown>>): Mutate<unknown[]> {
  return (messages, random, about) =>
    messages.map((message) =>
      isObject(message) && !('method' in message) ? mutate(message, random, about) : message,
    );
}

function tokenOf(params: Readonly<Record<string, unknown>>): unknown {
  const meta = params['_meta'];
  return isObject(meta) ? meta['progressToken'] : undefined;
}

function without(answer: Record<string, unknown>, name: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(answer).filter(([other]) => other !== name));
}
