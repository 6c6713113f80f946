import { appendFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { inputRequired, McpServer } from '@modelcontextprotocol/server';
import * as z from 'zod';

/** The resource that clients subscribe to. */
export const NOTE = 'note://one';

/** Which tools have tasks. @type {import('@longwire/server').TasksOptions} */
export const TASKS = {
  work: { task: 'optional', auto: { afterMs: 100 }, pollIntervalMs: 100 },
  'work-again': { task: 'optional', auto: { afterMs: 100 }, pollIntervalMs: 100 },
};

// Made once: schemas are costly, and a server is made for every session.
const ECHOED = z.object({ message: z.string() });
const ADDED = z.object({ a: z.number(), b: z.number() });
const KEYED = z.object({
  key: z.string(),
  ms: z.number().default(0),
  bytes: z.number().default(0),
});
const GREETED = z.object({ name: z.string() });
const FORM = {
  type: /** @type {const} */ ('object'),
  properties: { name: { type: /** @type {const} */ ('string') } },
  required: ['name'],
};
const MESSAGES = [
  {
    role: /** @type {const} */ ('user'),
    content: { type: /** @type {const} */ ('text'), text: 'The capital of France?' },
  },
];

/** How many steps `steps` and the keyed tools tell, and how long after its last one `steps` ends. */
const STEPS = 3;
const LAST_MS = 500;

/**
 * What a server is made with.
 *
 * @typedef {object} NodeServerOptions
 * @property {string} node the name of the node, which tools tell
 * @property {string | undefined} journal the file that says when a keyed call begins, ends or is cancelled
 * @property {'legacy' | 'modern'} era
 * @property {import('@modelcontextprotocol/server').ServerNotifier | undefined} notify of the mount
 */

/**
 * Makes the server of a node. Its tools:
 *
 * - `echo`, `add` and `whoami` answer at once; `whoami` names the node that ran it;
 * - `steps` tells its progress and logs, three times;
 * - `read` (safe to run twice) and `write` (not) take `ms`, tell their progress and return their key, with
 *   so many bytes behind it; the journal has a line when one begins, ends and is cancelled;
 * - `work` and `work-again` (safe) are the same, and tasks where the client takes one;
 * - `ask` elicits a name, `sample` has the client ask its model;
 * - `fail` returns an error, `leave` ends the process at once;
 * - `grow` says that the list of tools has changed, `touch` that the resource has: to every client of the
 *   mount.
 *
 * @param {NodeServerOptions} options
 */
export function createNodeServer({ node, journal, era, notify }) {
  const server = new McpServer(
    { name: 'node', version: '1.0.0' },
    {
      capabilities: {
        logging: {},
        tools: { listChanged: true },
        resources: { subscribe: true, listChanged: true },
      },
    },
  );
  const safe = { annotations: { readOnlyHint: true } };
  server.registerTool('echo', { ...safe, inputSchema: ECHOED }, ({ message }) =>
    said(`Echo: ${message}`),
  );
  server.registerTool('add', { ...safe, inputSchema: ADDED }, ({ a, b }) => said(String(a + b)));
  server.registerTool('whoami', safe, () => said(node));
  server.registerTool('steps', {}, takeSteps);
  for (const [name, isSafe] of KEYED_TOOLS) {
    server.registerTool(
      name,
      { inputSchema: KEYED, annotations: { readOnlyHint: isSafe } },
      (args, { mcpReq }) => runKeyed({ ...args, name, node, journal }, mcpReq),
    );
  }
  addQuestions(server, era);
  server.registerTool('fail', {}, () => ({ ...said('as asked'), isError: true }));
  server.registerTool('leave', {}, () => process.kill(process.pid, 'SIGKILL') && said('never'));
  server.registerTool('grow', {}, () => {
    notify?.toolsChanged();
    return said('changed');
  });
  server.registerTool('touch', {}, () => {
    notify?.resourceUpdated(NOTE);
    return said('touched');
  });
  server.registerResource('note', NOTE, { mimeType: 'text/plain' }, ({ href }) => ({
    contents: [{ uri: href, text: 'a note' }],
  }));
  for (const method of /** @type {const} */ (['resources/subscribe', 'resources/unsubscribe'])) {
    server.server.setRequestHandler(method, () => ({}));
  }
  server.registerPrompt('greet', { argsSchema: GREETED }, ({ name }) => ({
    messages: [{ role: 'user', content: { type: 'text', text: `Hello, ${name}` } }],
  }));
  return server;
}

/** @type {readonly (readonly [name: string, isSafe: boolean])[]} */
const KEYED_TOOLS = [
  ['read', true],
  ['write', false],
  ['work', false],
  ['work-again', true],
];

/** @typedef {import('@modelcontextprotocol/server').ServerContext} ServerContext */

/** @param {ServerContext} context */
async function takeSteps({ mcpReq }) {
  const progressToken = mcpReq._meta?.progressToken;
  for (let progress = 1; progress <= STEPS; progress++) {
    if (progressToken !== undefined) {
      const params = { progressToken, progress, total: STEPS };
      await mcpReq.notify({ method: 'notifications/progress', params });
    }
    await mcpReq.log('info', `step ${progress}`);
  }
  // The official client drops what it reads together with the result, and a busy machine reads late.
  await delay(LAST_MS);
  return said('done');
}

/**
 * @param {{ key: string, ms: number, bytes: number, name: string, node: string, journal: string | undefined }} call
 * @param {ServerContext['mcpReq']} mcpReq
 */
async function runKeyed({ key, ms, bytes, name, node, journal }, { _meta, notify, signal }) {
  const note = (/** @type {string} */ what) => {
    // One write with O_APPEND: lines of several processes do not mix.
    if (journal !== undefined) appendFileSync(journal, `${what} ${name} ${key} ${node}\n`);
  };
  note('begins');
  const progressToken = _meta?.progressToken;
  try {
    for (let progress = 1; ms > 0 && progress <= STEPS; progress++) {
      await delay(ms / STEPS, undefined, { signal });
      if (progressToken === undefined) continue;
      const params = { progressToken, progress, total: STEPS };
      await notify({ method: 'notifications/progress', params });
    }
  } catch (error) {
    note('cancelled');
    throw error;
  }
  note('ends');
  return said(`${name}: ${key}${bytes > 0 ? ` ${'x'.repeat(bytes)}` : ''}`);
}

/** Tools that ask: with sessions by a request, else by their result. @param {McpServer} server @param {string} era */
function addQuestions(server, era) {
  server.registerTool('ask', {}, async ({ mcpReq }) => {
    const asked = { message: 'Who are you?', requestedSchema: FORM };
    const given =
      era === 'modern'
        ? mcpReq.inputResponses?.['name']
        : await mcpReq.elicitInput({ mode: 'form', ...asked });
    if (given === undefined) {
      return inputRequired({ inputRequests: { name: inputRequired.elicit(asked) } });
    }
    const { action, content } = /** @type {{ action: string, content?: { name?: string } }} */ (
      given
    );
    return said(action === 'accept' ? `Hello, ${content?.name}` : action);
  });
  server.registerTool('sample', {}, async ({ mcpReq }) => {
    const params = { messages: MESSAGES, maxTokens: 50 };
    const given =
      era === 'modern' ? mcpReq.inputResponses?.['model'] : await mcpReq.requestSampling(params);
    if (given === undefined) {
      return inputRequired({ inputRequests: { model: inputRequired.createMessage(params) } });
    }
    const { content } = /** @type {{ content: { text?: string } }} */ (given);
    return said(`It says: ${content.text}`);
  });
}

/** @param {string} text */
function said(text) {
  return { content: [{ type: /** @type {const} */ ('text'), text }] };
}
