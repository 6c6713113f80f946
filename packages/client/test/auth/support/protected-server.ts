import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js';
import { mcpAuthRouter } from '@modelcontextprotocol/sdk/server/auth/router.js';
import { createMcpExpressApp } from '@modelcontextprotocol/sdk/server/express.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { once } from 'node:events';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Authority } from './authority.ts';

/** An MCP server of the official SDK behind the SDK's own OAuth, both at one origin. */
export interface ProtectedServer extends AsyncDisposable {
  /** Where the stream is, and what tokens are bound to. */
  readonly url: string;
  readonly authority: Authority;
  /** Method and path of every request, in order. */
  readonly requests: string[];
}

/** A request as Express hands it on. */
type Request = IncomingMessage & { path: string; body: unknown; query: { sessionId?: string } };
type Handler = (request: Request, response: ServerResponse, next: () => void) => unknown;
interface App {
  use(...handlers: unknown[]): void;
  get(path: string, ...handlers: Handler[]): void;
  post(path: string, ...handlers: Handler[]): void;
}

/** Everything needs the scope `read`, and the tool `write` needs `write` instead. */
export async function startProtectedServer(): Promise<ProtectedServer> {
  const authority = new Authority();
  const requests: string[] = [];
  const app = createMcpExpressApp() as unknown as App;
  const server = createServer(app as unknown as RequestListener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const url = new URL('/sse', origin);

  const bearer = (requiredScopes: string[]): Handler =>
    requireBearerAuth({
      verifier: authority,
      requiredScopes,
      resourceMetadataUrl: `${origin}/.well-known/oauth-protected-resource/sse`,
      expectedResource: url,
    }) as Handler;
  const mayRead = bearer(['read']);
  const mayWrite = bearer(['write']);
  const sessions = new Map<string, SSEServerTransport>();

  app.use((request: Request, _response: ServerResponse, next: () => void) => {
    requests.push(`${request.method} ${request.path}`);
    next();
  });
  app.use(
    mcpAuthRouter({
      provider: authority,
      issuerUrl: new URL(origin),
      resourceServerUrl: url,
      authorizationOptions: { rateLimit: false },
      clientRegistrationOptions: { rateLimit: false },
      tokenOptions: { rateLimit: false },
    }),
  );
  app.get('/sse', mayRead, async (_request, response) => {
    const transport = new SSEServerTransport('/messages', response);
    sessions.set(transport.sessionId, transport);
    await toolServer().connect(transport);
  });
  app.post(
    '/messages',
    (request, response, next) =>
      toolOf(request.body) === 'write'
        ? mayWrite(request, response, next)
        : mayRead(request, response, next),
    (request, response) =>
      sessions
        .get(request.query.sessionId ?? '')
        ?.handlePostMessage(request, response, request.body),
  );

  return {
    url: url.href,
    authority,
    requests,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function toolServer(): McpServer {
  const server = new McpServer({ name: 'protected', version: '1.0.0' });
  for (const name of ['read', 'write']) {
    server.registerTool(name, {}, () => ({ content: [{ type: 'text', text: `${name} done` }] }));
  }
  return server;
}

function toolOf(body: unknown): unknown {
  return (body as { params?: { name?: unknown } } | undefined)?.params?.name;
}
