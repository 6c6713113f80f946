import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { startHttpFixture, type RecordedRequest } from '../../../../test/support/http-fixture.ts';
import type { RpcMessage } from '../../../../test/support/strict-mcp-session.ts';

/** A call as it came: who made it by its credentials, and by its own word. */
export interface SeenCall {
  /** What the headers `authorization` and `x-user` said, in this order. */
  principal: string;
  /** `_meta.traceparent`, which nobody counts as a credential. */
  claim: unknown;
  tool: unknown;
}

/** A server that answers every call with who made it. */
export interface PrincipalServer {
  /** Where it is: `/mcp` speaks Streamable HTTP, `/sse` HTTP+SSE. */
  readonly origin: string;
  readonly calls: SeenCall[];
  /** By whom each other message came, and each GET and DELETE. */
  readonly others: { what: string; principal: string }[];
  /** The statuses that the next calls are refused with, first to last. */
  readonly refusals: number[];
  /** Knows no session any more, and ends all streams. */
  dropSessions(): void;
  close(): Promise<void>;
}

/** Where MCP is spoken; what else is asked for is the discovery of an authorization server. */
const MCP_PATHS: ReadonlySet<string> = new Set(['/sse', '/messages', '/mcp']);

/** Its tools only look; all of them do the same. */
export const TOOLS = ['read', 'look'];

/** Who a request says it is for. */
function principalOf({ headers }: RecordedRequest): string {
  return [headers.authorization, headers['x-user']].filter(Boolean).join('+');
}

/** Starts a server on a free port of 127.0.0.1. */
export async function startPrincipalServer(name: string): Promise<PrincipalServer> {
  const calls: SeenCall[] = [];
  const others: PrincipalServer['others'] = [];
  const refusals: number[] = [];
  const sessions = new Map<string, ServerResponse | undefined>();

  function answerTo(message: RpcMessage, principal: string): RpcMessage {
    const { id, method } = message;
    const said = (result: unknown): RpcMessage => ({
      jsonrpc: '2.0',
      ...(id !== undefined && { id }),
      result,
    });
    switch (method) {
      case 'initialize':
        return said({
          protocolVersion: '2024-11-05',
          capabilities: { tools: { listChanged: true } },
          serverInfo: { name, version: '1' },
        });
      case 'tools/list':
        return said({
          tools: TOOLS.map((tool) => ({
            name: tool,
            inputSchema: { type: 'object' },
            annotations: { readOnlyHint: true },
          })),
        });
      case 'tools/call':
        return said({ content: [{ type: 'text', text: `${name} ${principal}` }] });
      case 'ping':
      case 'resources/subscribe':
      case 'resources/unsubscribe':
        return said({});
      default:
        return {
          jsonrpc: '2.0',
          ...(id !== undefined && { id }),
          error: { code: -32601, message: `no method ${method}` },
        };
    }
  }

  function handle(request: RecordedRequest, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url, 'http://server');
    const message = request.json as RpcMessage | undefined;
    const principal = principalOf(request);
    if (message?.method === 'tools/call') {
      const { name: tool, _meta } = message.params ?? {};
      const claim = (_meta as Record<string, unknown> | undefined)?.['traceparent'];
      calls.push({ principal, claim, tool });
      const status = refusals.shift();
      if (status !== undefined) {
        response.writeHead(status, { 'retry-after': '0' }).end('not now');
        return;
      }
    } else {
      const isMcp = MCP_PATHS.has(pathname);
      others.push({ what: isMcp ? (message?.method ?? request.method) : 'elsewhere', principal });
    }
    if (pathname === '/sse' && request.method === 'GET') openStream(response);
    else if (pathname === '/messages') takeBeside(message, searchParams.get('id') ?? '');
    else if (pathname === '/mcp' && request.method === 'POST') takePost(message);
    else response.writeHead(request.method === 'DELETE' ? 200 : 405).end();

    function takeBeside(posted: RpcMessage | undefined, id: string): void {
      const stream = sessions.get(id);
      response.writeHead(stream === undefined ? 404 : 202).end();
      if (stream === undefined || posted?.id === undefined) return;
      stream.write(`event: message\ndata: ${JSON.stringify(answerTo(posted, principal))}\n\n`);
    }

    function takePost(posted: RpcMessage | undefined): void {
      const isNew = posted?.method === 'initialize';
      const id = isNew ? randomUUID() : String(request.headers['mcp-session-id'] as string);
      if (isNew) sessions.set(id, undefined);
      if (posted?.method === 'server/discover') response.writeHead(400).end('no such method');
      else if (!sessions.has(id)) response.writeHead(404).end('no such session');
      else if (posted?.id === undefined) response.writeHead(202).end();
      else {
        response
          .writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': id })
          .end(JSON.stringify(answerTo(posted, principal)));
      }
    }
  }

  function openStream(response: ServerResponse): void {
    const id = randomUUID();
    sessions.set(id, response);
    response
      .writeHead(200, { 'content-type': 'text/event-stream' })
      .write(`event: endpoint\ndata: /messages?id=${id}\n\n`);
  }

  const { origin, close } = await startHttpFixture(handle);
  return {
    origin,
    calls,
    others,
    refusals,
    dropSessions: () => {
      for (const stream of sessions.values()) stream?.destroy();
      sessions.clear();
    },
    close,
  };
}
