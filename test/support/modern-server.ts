import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type NodeIncomingMessageLike,
  NodeStreamableHTTPServerTransport,
  toNodeHandler,
} from '@modelcontextprotocol/node';
import {
  createMcpHandler,
  fromJsonSchema,
  inputRequired,
  McpServer,
} from '@modelcontextprotocol/server';
import * as z from 'zod';

/** The official server of protocol 2026-07-28, and what happened in it. */
export interface ModernServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT/mcp`. */
  readonly url: string;
  /** The tools that were called, in order. */
  readonly calls: string[];
  /** The headers of the calls of `region`. */
  readonly regions: (string | undefined)[];
  /** Adds a tool of this name, and says that the list has changed. */
  addTool(name: string): void;
  /** Says that a resource has changed. */
  updated(uri: string): void;
  /** Streams that are open to `subscriptions/listen`. */
  openSubscriptions(): number;
  close(): Promise<void>;
}

/** What the server is started with. */
export interface ModernServerOptions {
  /** What becomes of requests of the era before. Default `reject`. */
  legacy?: 'reject' | 'stateless' | 'sessions';
  /** Where it listens. Default: a free port. */
  port?: number;
}

/** An argument that is wanted in a header, too. */
const withHeader: object = {
  type: 'object',
  properties: { where: { type: 'string', 'x-mcp-header': 'Region' } },
  required: ['where'],
};

/**
 * Starts the official server. Its tools: `echo`; `steps`, which tells its progress three times;
 * `ask`, which asks for a name before it answers; `region`, whose argument is repeated in a header;
 * `wait`, which never answers; with sessions `ask-back`, which asks as tools of the era before do.
 */
export async function startModernServer({
  legacy = 'reject',
  port = 0,
}: ModernServerOptions = {}): Promise<ModernServer> {
  const calls: string[] = [];
  const regions: (string | undefined)[] = [];
  const added: string[] = [];
  let subscriptions = 0;

  function createSession(): McpServer {
    const server = new McpServer(
      { name: 'modern', version: '1.0.0' },
      { capabilities: { logging: {}, resources: { subscribe: true, listChanged: true } } },
    );
    server.registerTool(
      'echo',
      { inputSchema: z.object({ message: z.string() }), annotations: { readOnlyHint: true } },
      ({ message }) => said(ran('echo', message)),
    );
    server.registerTool('steps', {}, async (context) => {
      const { progressToken } = context.mcpReq._meta ?? {};
      for (const progress of [1, 2, 3]) {
        if (progressToken === undefined) break;
        const params = { progressToken, progress, total: 3 };
        await context.mcpReq.notify({ method: 'notifications/progress', params });
      }
      return said(ran('steps', 'done'));
    });
    server.registerTool('ask', {}, (context) => {
      const given = context.mcpReq.inputResponses?.['name'] as
        { action: string; content?: { name?: string } } | undefined;
      if (given !== undefined) {
        return said(ran('ask', given.action === 'accept' ? `hello ${given.content?.name}` : 'no'));
      }
      const requestedSchema = {
        type: 'object' as const,
        properties: { name: { type: 'string' as const } },
      };
      return inputRequired({
        inputRequests: { name: inputRequired.elicit({ message: 'Who is it?', requestedSchema }) },
      });
    });
    server.registerTool(
      'region',
      {
        inputSchema: fromJsonSchema<{ where: string }>(withHeader),
      },
      ({ where }, context) => {
        regions.push(context.http?.req?.headers.get('mcp-param-region') ?? undefined);
        return said(ran('region', where));
      },
    );
    server.registerTool('wait', {}, async (context) => {
      ran('wait', '');
      await once(context.mcpReq.signal, 'abort');
      ran('wait ended', '');
      return said('never');
    });
    if (legacy === 'sessions') {
      server.registerTool('ask-back', {}, async () => {
        const { action } = await server.server.elicitInput({
          message: 'Well?',
          requestedSchema: { type: 'object', properties: {} },
        });
        return said(ran('ask-back', action));
      });
    }
    for (const name of added) server.registerTool(name, {}, () => said(ran(name, name)));
    server.registerResource('note', 'note:///1', {}, (uri) => ({
      contents: [{ uri: uri.href, text: 'a note' }],
    }));
    return server;
  }

  function ran(tool: string, answer: string): string {
    calls.push(tool);
    return answer;
  }

  const handler = createMcpHandler(createSession, {
    legacy: legacy === 'sessions' ? 'reject' : legacy,
  });
  const handle = toNodeHandler(handler);
  const sessions = new Map<string, NodeStreamableHTTPServerTransport>();

  async function takeInSession(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const known = sessions.get(String(request.headers['mcp-session-id']));
    const transport =
      known ??
      new NodeStreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        onsessioninitialized: (id) => void sessions.set(id, transport),
      });
    if (known === undefined) await createSession().connect(transport);
    await transport.handleRequest(request, response);
  }

  const http = createServer((request, response) => {
    if (new URL(request.url ?? '', 'http://server').pathname !== '/mcp') {
      response.writeHead(404).end();
      return;
    }
    if (legacy === 'sessions' && request.headers['mcp-method'] === undefined) {
      void takeInSession(request, response);
      return;
    }
    if (request.headers['mcp-method'] === 'subscriptions/listen') {
      subscriptions += 1;
      response.once('close', () => (subscriptions -= 1));
    }
    void handle(request as NodeIncomingMessageLike, response);
  });
  http.listen(port, '127.0.0.1');
  await once(http, 'listening');
  const close = async (): Promise<void> => {
    if (!http.listening) return;
    const closed = once(http, 'close');
    http.close();
    await handler.close();
    await Promise.all([...sessions.values()].map((transport) => transport.close()));
    http.closeAllConnections();
    await closed;
  };
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`,
    calls,
    regions,
    addTool: (name) => {
      added.push(name);
      handler.notify.toolsChanged();
    },
    updated: (uri) => handler.notify.resourceUpdated(uri),
    openSubscriptions: () => subscriptions,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function said(text: string): { content: [{ type: 'text'; text: string }] } {
  return { content: [{ type: 'text', text }] };
}
