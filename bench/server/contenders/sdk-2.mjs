/**
 * The official SDK 2.x on `node:http`, as its documentation shows: `createMcpHandler` for the
 * stateless protocol, the Streamable HTTP transport for sessions. It serves no HTTP+SSE.
 */
import {
  localhostHostValidation,
  localhostOriginValidation,
  NodeStreamableHTTPServerTransport,
  toNodeHandler,
} from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { SERVER_INFO } from '../tools.mjs';
import { listen } from './listen.mjs';
import { withTools } from './official-tools.mjs';

const isHostValid = localhostHostValidation();
const isOriginValid = localhostOriginValidation();

async function startStateless() {
  const handler = createMcpHandler(
    () => withTools(new McpServer(SERVER_INFO)),
    // More than the load opens.
    { maxSubscriptions: 100_000 },
  );
  const handle = toNodeHandler(handler);
  const server = createServer((request, response) => {
    if (isHostValid(request, response) && isOriginValid(request, response)) {
      void handle(request, response);
    }
  });
  return {
    url: `${await listen(server)}/mcp`,
    broadcast: () => handler.notify.toolsChanged(),
  };
}

async function startWithSessions() {
  /** @type {Map<string, NodeStreamableHTTPServerTransport>} */
  const transports = new Map();
  /** @type {Set<McpServer>} */
  const servers = new Set();

  async function open() {
    const server = withTools(new McpServer(SERVER_INFO));
    const transport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      onsessioninitialized: (id) => void transports.set(id, transport),
      onsessionclosed: (id) => void transports.delete(id),
    });
    servers.add(server);
    server.server.onclose = () => servers.delete(server);
    await server.connect(transport);
    return transport;
  }

  /**
   * @param {import('node:http').IncomingMessage} request
   * @param {import('node:http').ServerResponse} response
   */
  const onRequest = async (request, response) => {
    if (!isHostValid(request, response) || !isOriginValid(request, response)) return;
    const id = request.headers['mcp-session-id'];
    const transport = id === undefined ? await open() : transports.get(String(id));
    if (transport) await transport.handleRequest(request, response);
    else response.writeHead(404).end();
  };
  const server = createServer((request, response) => void onRequest(request, response));
  return {
    url: `${await listen(server)}/mcp`,
    broadcast: () => {
      for (const one of servers) one.sendToolListChanged();
    },
  };
}

/** @type {import('../server-process.mjs').Start} */
export async function start({ transport }) {
  return transport === 'stateless' ? startStateless() : startWithSessions();
}
