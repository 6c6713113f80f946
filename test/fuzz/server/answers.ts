import { isObject, type About, type Purpose } from '../grammar/mutation.ts';

const MODERN = '2026-07-28';
const META = 'io.modelcontextprotocol/';

const ECHO_SCHEMA = { type: 'object', properties: { text: { type: 'string' } } };

const TOOLS = [
  {
    name: 'echo',
    description: 'Returns its text.',
    inputSchema: { ...ECHO_SCHEMA, required: ['text'] },
    outputSchema: ECHO_SCHEMA,
    annotations: { readOnlyHint: true },
  },
  {
    name: 'write',
    description: 'Writes its text.',
    inputSchema: ECHO_SCHEMA,
    annotations: { destructiveHint: true },
  },
  { name: 'plain', inputSchema: { type: 'object' } },
  { name: 'long', inputSchema: ECHO_SCHEMA, execution: { taskSupport: 'required' } },
];

/** What a task of `long` is, by what it is called in each era. */
const CREATED_AT = '2026-01-01T00:00:00Z';
const TASK = { taskId: 'task-1', createdAt: CREATED_AT, lastUpdatedAt: CREATED_AT };
const MODERN_TASK = { ...TASK, ttlMs: 60_000, pollIntervalMs: 100 };
const LEGACY_TASK = { ...TASK, ttl: 60_000, pollInterval: 100 };

const LISTS: Readonly<Record<string, object>> = {
  'tools/list': { tools: TOOLS },
  'resources/list': { resources: [{ uri: 'note:1', name: 'note', mimeType: 'text/plain' }] },
  'resources/templates/list': { resourceTemplates: [{ uriTemplate: 'note:{n}', name: 'notes' }] },
  'prompts/list': { prompts: [{ name: 'greet', arguments: [{ name: 'who', required: true }] }] },
};

const CAPABILITIES = {
  tools: { listChanged: true },
  resources: { listChanged: true, subscribe: true },
  prompts: { listChanged: true },
  logging: {},
  completions: {},
};

const LEGACY_CAPABILITIES = {
  ...CAPABILITIES,
  tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } },
};

const MODERN_CAPABILITIES = {
  ...CAPABILITIES,
  extensions: { 'io.modelcontextprotocol/tasks': {} },
};

const SERVER_INFO = { name: 'fuzz', version: '1.0.0' };

/** What a request is about; `undefined` for what is no request, and gets no answer. */
export function aboutMessage(message: unknown): About | undefined {
  if (!isObject(message)) return undefined;
  const { method, id, params } = message;
  if (typeof method !== 'string' || id === undefined) return undefined;
  const about = { method, id, params: isObject(params) ? params : {} };
  return { ...about, purpose: purposeOf(about) };
}

function purposeOf({ method, params }: Omit<About, 'purpose'>): Purpose {
  if (method.startsWith('tasks/')) return 'task';
  if (method === 'tools/call' && params['name'] === 'long') return 'task';
  if (method === 'initialize' || method === 'server/discover') return 'connect';
  if (method.endsWith('/list')) return 'list';
  return ['tools/call', 'resources/read', 'prompts/get'].includes(method) ? 'call' : 'other';
}

/** The result that a server gives when nothing is wrong; `undefined` for what it does not know. */
export function resultOf(about: About, era: 'legacy' | 'modern'): object | undefined {
  const result = era === 'modern' ? modernResult(about) : legacyResult(about);
  if (result === undefined || era === 'legacy') return result;
  return {
    resultType: 'complete',
    ...(about.purpose !== 'call' &&
      about.purpose !== 'task' && { ttlMs: 0, cacheScope: 'private' }),
    ...result,
    _meta: { [`${META}serverInfo`]: SERVER_INFO },
  };
}

function legacyResult(about: About): object | undefined {
  if (about.method === 'initialize') {
    const { protocolVersion } = about.params;
    return { protocolVersion, capabilities: LEGACY_CAPABILITIES, serverInfo: SERVER_INFO };
  }
  if (about.method === 'server/discover') return undefined;
  if (about.purpose === 'task') return legacyTaskResult(about);
  return commonResult(about);
}

function modernResult(about: About): object | undefined {
  if (about.method === 'server/discover') {
    return { supportedVersions: [MODERN], capabilities: MODERN_CAPABILITIES };
  }
  if (about.method === 'initialize' || about.method === 'ping') return undefined;
  if (about.purpose === 'task') return modernTaskResult(about);
  return commonResult(about);
}

function modernTaskResult({ method }: About): object | undefined {
  switch (method) {
    case 'tools/call':
      return { resultType: 'task', ...MODERN_TASK, status: 'working' };
    case 'tasks/get':
      return { ...MODERN_TASK, status: 'completed', result: callResult({ text: 'long' }) };
    case 'tasks/update':
    case 'tasks/cancel':
      return {};
    default:
      return undefined;
  }
}

function legacyTaskResult({ method, params }: About): object | undefined {
  switch (method) {
    case 'tools/call':
      if (params['task'] === undefined) return callResult({ text: 'long' });
      return { task: { ...LEGACY_TASK, status: 'working' } };
    case 'tasks/get':
      return { ...LEGACY_TASK, status: 'completed' };
    case 'tasks/result':
      return callResult({ text: 'long' });
    case 'tasks/list':
      return { tasks: [{ ...LEGACY_TASK, status: 'completed' }] };
    case 'tasks/cancel':
      return { ...LEGACY_TASK, status: 'cancelled' };
    default:
      return undefined;
  }
}

function commonResult({ method, params }: About): object | undefined {
  const list = LISTS[method];
  if (list !== undefined) return list;
  switch (method) {
    case 'tools/call':
      return callResult(params['arguments']);
    case 'resources/read':
      return { contents: [{ uri: params['uri'], text: 'a note' }] };
    case 'prompts/get':
      return { messages: [{ role: 'user', content: { type: 'text', text: 'hello' } }] };
    case 'completion/complete':
      return { completion: { values: ['a'], hasMore: false } };
    case 'ping':
    case 'logging/setLevel':
    case 'resources/subscribe':
    case 'resources/unsubscribe':
      return {};
    default:
      return undefined;
  }
}

/** What a tool says about its arguments: the text of them. */
export function callResult(args: unknown): object {
  const text = isObject(args) ? String(args['text']) : '';
  return { content: [{ type: 'text', text }], structuredContent: { text } };
}

/** The JSON-RPC messages that answer a request: some progress, then its result. */
export function messagesFor({ method, id, params }: About, result: unknown): unknown[] {
  if (result === undefined) {
    const error = { code: -32601, message: `Method not found: ${method}` };
    return [{ jsonrpc: '2.0', id, error }];
  }
  const answer = { jsonrpc: '2.0', id, result };
  const meta = params['_meta'];
  const progressToken = isObject(meta) ? meta['progressToken'] : undefined;
  if (progressToken === undefined) return [answer];
  const progress = { progressToken, progress: 1, total: 2 };
  return [{ jsonrpc: '2.0', method: 'notifications/progress', params: progress }, answer];
}

/** The tools as the tool-events transport names them. */
export function eventTools(result: unknown): unknown {
  return isObject(result) ? result['tools'] : result;
}
