/** The official SDK 1.x on Express, as its documentation shows. */
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { isInitializeRequest } from '@modelcontextprotocol/sdk/types.js';
import express from 'express';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { SERVER_INFO } from '../tools.mjs';
import { listen } from './listen.mjs';
import { withTools } from './official-tools.mjs';

/** @type {Set<McpServer>} */
const servers = new Set();

function createMcpServer() {
  const server = withTools(new McpServer(SERVER_INFO));
  servers.add(server);
  server.server.onclose = () => servers.delete(server);
  return server;
}

/** @param {import('express').Express} app */
function serveSse(app) {
  /** @type {Map<string, SSEServerTransport>} */
  const transports = new Map();
  app.get('/sse', async (_request, response) => {
    const transport = new SSEServerTransport('/messages', response);
    transports.set(transport.sessionId, transport);
    response.on('close', () => transports.delete(transport.sessionId));
    await createMcpServer().connect(transport);
  });
  app.post('/messages', async (request, response) => {
    const transport = transports.get(String(request.query['sessionId']));
    if (transport) await transport.handlePostMessage(request, response, request.body);
    else response.status(400).send('No transport found for sessionId');
  });
}

/** @param {import('express').Express} app */
function serveStreamable(app) {
  /** @type {Map<string, StreamableHTTPServerTransport>} */
  const transports = new Map();
  app.all('/mcp', async (request, response) => {
    const id = request.get('mcp-session-id');
    let transport = id === undefined ? undefined : transports.get(id);
    if (transport === undefined && isInitializeRequest(request.body)) {
      const opened = new StreamableHTTPServerTransport({
        sessionIdGenerator: () => randomUUID(),
        onsessioninitialized: (sessionId) => void transports.set(sessionId, opened),
        onsessionclosed: (sessionId) => void transports.delete(sessionId),
      });
      await createMcpServer().connect(/** @type {any} */ (opened));
      transport = opened;
    }
    if (transport) await transport.handleRequest(request, response, request.body);
    else response.status(404).send('Session not found');
  });
}

/** @type {import('../server-process.mjs').Start} */
export async function start({ transport }) {
  const app = express();
  app.use(express.json());
  if (transport === 'sse') serveSse(app);
  else serveStreamable(app);
  const origin = await listen(createServer(app));
  return {
    url: origin + (transport === 'sse' ? '/sse' : '/mcp'),
    broadcast: () => {
      for (const server of servers) server.sendToolListChanged();
    },
  };
}
