/**
 * One of the servers behind the backend, a process that can be killed: the official SDK's, over one
 * transport. What a tool answers, reports and logs names the user of the very request that it came by.
 *
 *     node server.mjs sse|sessions|stateless PORT
 *     node server.mjs stdio
 */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { createMcpHandler, McpServer as ModernServer } from '@modelcontextprotocol/server';
import * as z from 'zod';
import { userOf } from './tokens.mjs';

const [kind = '', port = '0'] = process.argv.slice(2);
const secret = process.env['ISSUER_SECRET'] ?? '';
/** Of a process for one user there is nothing else to tell it by. */
const own = `process ${process.pid}`;

/** How an answer came about, whichever SDK gives it. @typedef {{ user: string, progress: (message: string, progress: number) => Promise<void>, log: (data: object) => Promise<void> }} Asked */

/** @param {Asked} asked @param {string} question */
async function ask({ user, progress, log }, question) {
  await progress(`${user} ${question}`, 1);
  await log({ user, question });
  await sleep(question === 'slow' ? 3_000 : 10 + Math.random() * 40);
  await progress(`${user} ${question}`, 2);
  return answer({ user, question });
}

/** @param {object} structuredContent */
function answer(structuredContent) {
  return {
    content: [{ type: /** @type {const} */ ('text'), text: JSON.stringify(structuredContent) }],
    structuredContent: { ...structuredContent },
  };
}

const annotations = { readOnlyHint: true };
const askTool = {
  description: 'Answers with the question, and with who asks.',
  inputSchema: { question: z.string() },
  outputSchema: { user: z.string(), question: z.string() },
  annotations,
};
const profileTool = {
  description: 'Who asks.',
  outputSchema: { user: z.string() },
  annotations,
};

/** A session of the eras that have them. */
function createSession() {
  const server = new McpServer({ name: kind, version: '1.0.0' }, { capabilities: { logging: {} } });
  /** @param {import('@modelcontextprotocol/sdk/shared/protocol.js').RequestHandlerExtra<any, any>} extra */
  const askedBy = (extra) => ({
    user: extra.authInfo?.clientId ?? own,
    /** @param {string} message @param {number} progress */
    progress: async (message, progress) => {
      const { progressToken } = extra._meta ?? {};
      if (progressToken === undefined) return;
      const params = { progressToken, progress, message };
      await extra.sendNotification({ method: 'notifications/progress', params });
    },
    // By the stream of the session, not that of the request.
    /** @param {object} data */
    log: (data) => server.server.sendLoggingMessage({ level: 'info', data }).catch(() => {}),
  });
  server.registerTool('ask', askTool, ({ question }, extra) => ask(askedBy(extra), question));
  server.registerTool('profile', profileTool, (extra) => answer({ user: askedBy(extra).user }));
  return server;
}

/** A server of the stateless era: one for each request. */
function createStateless() {
  const server = new ModernServer(
    { name: kind, version: '1.0.0' },
    { capabilities: { logging: {} } },
  );
  /** @param {import('@modelcontextprotocol/server').ServerContext} context */
  const askedBy = ({ http, mcpReq }) => ({
    user: http?.authInfo?.clientId ?? 'nobody',
    /** @param {string} message @param {number} progress */
    progress: async (message, progress) => {
      const { progressToken } = mcpReq._meta ?? {};
      if (progressToken === undefined) return;
      const params = { progressToken, progress, message };
      await mcpReq.notify({ method: 'notifications/progress', params });
    },
    /** @param {object} data */
    log: (data) => mcpReq.log('info', data),
  });
  server.registerTool(
    'ask',
    {
      ...askTool,
      inputSchema: z.object(askTool.inputSchema),
      outputSchema: z.object(askTool.outputSchema),
    },
    ({ question }, context) => ask(askedBy(context), question),
  );
  server.registerTool(
    'profile',
    { ...profileTool, outputSchema: z.object(profileTool.outputSchema) },
    (context) => answer({ user: askedBy(context).user }),
  );
  return server;
}

/** By session id: who opened it, and what serves it. @type {Map<string, { user: string, transport: any }>} */
const sessions = new Map();

/** @typedef {import('node:http').IncomingMessage & { auth?: { token: string, clientId: string, scopes: string[] } }} AuthedRequest */

/** @type {Record<string, (request: AuthedRequest, response: import('node:http').ServerResponse, user: string) => unknown>} */
const transports = {
  async sse(request, response, user) {
    if (request.method === 'GET') {
      const transport = new SSEServerTransport('/messages', response);
      sessions.set(transport.sessionId, { user, transport });
      response.once('close', () => sessions.delete(transport.sessionId));
      await createSession().connect(transport);
      return;
    }
    const id = new URL(request.url ?? '', 'http://server').searchParams.get('sessionId') ?? '';
    const session = ofUser(id, user, response);
    await session?.transport.handlePostMessage(request, response);
  },
  async sessions(request, response, user) {
    const id = request.headers['mcp-session-id'];
    if (typeof id === 'string') {
      await ofUser(id, user, response)?.transport.handleRequest(request, response);
      return;
    }
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (made) => void sessions.set(made, { user, transport }),
      onsessionclosed: (closed) => void sessions.delete(closed),
    });
    await createSession().connect(/** @type {any} */ (transport));
    await transport.handleRequest(request, response);
  },
  stateless: (request, response) => handleStateless(/** @type {any} */ (request), response),
};
const handleStateless = toNodeHandler(createMcpHandler(createStateless, { legacy: 'reject' }));

/** The session of an id; that of another user is what must never be asked for. */
/** @param {string} id @param {string} user @param {import('node:http').ServerResponse} response */
function ofUser(id, user, response) {
  const session = sessions.get(id);
  if (session?.user === user) return session;
  if (session !== undefined) console.log(`crossed: ${user} came into a session of ${session.user}`);
  response.writeHead(404, { 'content-type': 'application/json' });
  response.end('{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"Session not found"}}');
  return undefined;
}

if (kind === 'stdio') {
  await createSession().connect(new StdioServerTransport());
} else {
  const serveIt = transports[kind];
  if (serveIt === undefined) throw new Error(`no transport ${kind}`);
  const server = createServer((request, response) => {
    const user = userOf(request.headers.authorization, secret);
    if (user === undefined) {
      response.writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token"' }).end();
      return;
    }
    Object.assign(request, { auth: { token: 'verified', clientId: user, scopes: [] } });
    Promise.resolve(serveIt(request, response, user)).catch((error) => {
      console.error(error);
      if (!response.headersSent) response.writeHead(500).end();
    });
  });
  server.listen(Number(port), '127.0.0.1', () => {
    const address = /** @type {import('node:net').AddressInfo} */ (server.address());
    console.log(`listening on ${address.port}`);
  });
}
