import { setTimeout as delay } from 'node:timers/promises';
import { ProtocolError, Server } from '@modelcontextprotocol/server';

/**
 * How they are served: which tools are tasks, and whoever sends `Bearer NAME` is NAME.
 *
 * @type {Pick<import('@longwire/server').ServeOptions, 'tasks' | 'auth'>}
 */
export const TASK_OPTIONS = {
  tasks: {
    work: { task: 'optional', auto: { afterMs: 20 }, pollIntervalMs: 100 },
    // Its node dies between two polls: what is on its way to a node that dies gets a 502 of the proxy.
    survive: { task: 'optional', auto: { afterMs: 20 }, pollIntervalMs: 2_000 },
    only: { task: 'required', pollIntervalMs: 100 },
    ask: { task: 'required', pollIntervalMs: 100 },
    fail: { task: 'required', pollIntervalMs: 100 },
    broken: { task: 'required', pollIntervalMs: 100 },
  },
  auth: ({ headers }) => ({ id: headers.authorization?.replace('Bearer ', '') ?? 'anonymous' }),
};

const text = { type: 'string' };
const number = { type: 'number' };
const TOOLS = [
  tool('echo', { message: text }),
  tool('work', { steps: number, stepMs: number }),
  { ...tool('survive', { key: text }), annotations: { idempotentHint: true } },
  ...['only', 'ask', 'fail', 'broken'].map((name) => tool(name, {})),
];

/**
 * Makes a server of tools whose calls are tasks.
 *
 * - `echo` returns its message, and is never a task;
 * - `work` takes its time and tells its progress: a task where the client can take one;
 * - `survive` may run twice: it ends its process once for each key, and else takes its time as `work`;
 * - `only` returns a text, `ask` asks for a name, `fail` returns an error and `broken` throws one of the
 *   protocol: they are tasks or nothing.
 *
 * `McpServer` makes results of the errors that its tools throw: this is the class below it.
 *
 * @param {(event: string) => void} note told what its tools do
 * @param {(key: string) => void} [die] ends the process, the first time that it is called for a key
 */
export function createTaskServer(note, die = () => {}) {
  const server = new Server({ name: 'kit', version: '1.0.0' }, { capabilities: { tools: {} } });
  server.setRequestHandler('tools/list', () => ({ tools: [...TOOLS] }));
  server.setRequestHandler('tools/call', async ({ params }, { mcpReq }) => {
    const input = params.arguments ?? {};
    switch (params.name) {
      case 'echo':
        return said(`Echo: ${String(input['message'])}`);
      case 'work':
        return work(Number(input['steps']), Number(input['stepMs']), mcpReq, note);
      case 'survive':
        await work(10, 100, mcpReq, note);
        die(String(input['key']));
        return work(5, 100, mcpReq, note);
      case 'only':
        return said('only');
      case 'ask':
        note('ask');
        return ask(server);
      case 'fail':
        return { ...said('it failed'), isError: true };
      default:
        throw new ProtocolError(-32050, 'it is broken');
    }
  });
  return server;
}

/**
 * @param {number} steps @param {number} stepMs
 * @param {import('@modelcontextprotocol/server').ServerContext['mcpReq']} mcpReq
 * @param {(event: string) => void} note
 */
async function work(steps, stepMs, { _meta, notify, signal }, note) {
  note('work');
  const progressToken = _meta?.progressToken;
  for (let progress = 1; progress <= steps; progress++) {
    if (progressToken !== undefined) {
      const params = { progressToken, progress, total: steps, message: `step ${progress}` };
      await notify({ method: 'notifications/progress', params });
    }
    try {
      await delay(stepMs, undefined, { signal });
    } catch (error) {
      note('work cancelled');
      throw error;
    }
  }
  return said('done');
}

/** @param {Server} server */
async function ask(server) {
  const { action, content } = await server.elicitInput({
    mode: 'form',
    message: 'Who are you?',
    requestedSchema: {
      type: 'object',
      properties: { name: { type: 'string' } },
      required: ['name'],
    },
  });
  return said(action === 'accept' ? `Hello, ${String(content?.['name'])}` : action);
}

/** @param {string} name @param {object} properties */
function tool(name, properties) {
  return { name, inputSchema: { type: 'object', properties, required: Object.keys(properties) } };
}

/** @param {string} content */
function said(content) {
  return { content: [{ type: 'text', text: content }] };
}
