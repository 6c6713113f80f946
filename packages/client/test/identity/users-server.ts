import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { startHttpFixture, type RecordedRequest } from '../../../../test/support/http-fixture.ts';
import type { RpcMessage } from '../../../../test/support/strict-mcp-session.ts';

/** Servers of three eras that tell each user apart, and note what crosses. */
export interface UsersServer extends AsyncDisposable {
  /** Where it is: `/mcp` and `/sse` have sessions, `/modern` has none. */
  readonly origin: string;
  /** What was of one user in a request of another. */
  readonly crossed: string[];
  /** The users whose next request is refused with 401. */
  readonly refused: Set<string>;
  /** Knows no session any more, and ends all streams. */
  dropSessions(): void;
}

interface Session {
  readonly user: string;
  stream: ServerResponse | undefined;
}

/** Who asks: the token before its dot, which counts how often it was renewed. */
function userOf(authorization: string | undefined): string {
  return authorization?.replace(/^Bearer /, '').replace(/\..*$/, '') ?? 'nobody';
}

export async function startUsersServer(): Promise<UsersServer> {
  const crossed: string[] = [];
  const refused = new Set<string>();
  const sessions = new Map<string, Session>();
  const modern = createMcpHandler(({ requestInfo }) =>
    modernServer(userOf(requestInfo?.headers.get('authorization') ?? undefined)),
  );

  function answerTo({ id, method, params }: RpcMessage, user: string): object {
    const said = (result: object): object => ({ jsonrpc: '2.0', id, result });
    switch (method) {
      case 'initialize':
        return said({
          protocolVersion: '2025-06-18',
          capabilities: {
            tools: { listChanged: true },
            logging: {},
            resources: { subscribe: true },
          },
          serverInfo: { name: 'users', version: '1' },
        });
      case 'tools/list':
        return said({
          tools: ['who', `of-${user}`].map((name) => ({
            name,
            inputSchema: { type: 'object' },
            annotations: { readOnlyHint: true },
          })),
        });
      case 'tools/call':
        return said({ content: [{ type: 'text', text: user }], of: params?.name });
      default:
        return said({});
    }
  }

  const { origin, close } = await startHttpFixture((request, response) => {
    const user = userOf(request.headers.authorization);
    const { pathname, searchParams } = new URL(request.url, 'http://server');
    const cookie = /who=(\w+)/.exec(request.headers.cookie ?? '')?.[1];
    if (cookie !== undefined && cookie !== user) crossed.push(`${user} sent a cookie of ${cookie}`);
    response.setHeader('set-cookie', `who=${user}`);
    if (refused.delete(user)) return void response.writeHead(401).end();
    if (pathname === '/modern') return void takeModern(request, response);
    const message = request.json as RpcMessage | undefined;
    const id = request.headers['mcp-session-id'] ?? searchParams.get('id') ?? '';
    const session = sessions.get(String(id));
    if (session !== undefined && session.user !== user) {
      crossed.push(
        `${user} used the session of ${session.user}: ${message?.method ?? request.method}`,
      );
    }
    if (pathname === '/sse' && request.method === 'GET') return openStream(user, response);
    if (pathname === '/messages') return takeBeside(message, session, response, user);
    if (request.method === 'GET' && session !== undefined) {
      session.stream = response;
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      return;
    }
    if (request.method !== 'POST') return void response.writeHead(session ? 200 : 404).end();
    takePost(message, session, response, user);
  });
  async function takeModern(request: RecordedRequest, response: ServerResponse): Promise<void> {
    const { method, body, headers } = request;
    const ended = new AbortController();
    response.once('close', () => ended.abort());
    const answer = await modern.fetch(
      new Request(new URL(request.url, origin), {
        method,
        headers: Object.entries(headers).map(([name, value]): [string, string] => [
          name,
          String(value),
        ]),
        signal: ended.signal,
        ...(body !== '' && { body }),
      }),
    );
    response.writeHead(answer.status, Object.fromEntries(answer.headers)).flushHeaders();
    try {
      for await (const part of answer.body ?? []) response.write(part);
    } catch {
      // The client has gone.
    }
    response.end();
  }

  function openStream(user: string, stream: ServerResponse): void {
    const id = randomUUID();
    sessions.set(id, { user, stream });
    stream
      .writeHead(200, { 'content-type': 'text/event-stream' })
      .write(`event: endpoint\ndata: /messages?id=${id}\n\n`);
  }

  function takeBeside(
    message: RpcMessage | undefined,
    session: Session | undefined,
    response: ServerResponse,
    user: string,
  ): void {
    response.writeHead(session === undefined ? 404 : 202).end();
    if (message?.id === undefined || session?.stream === undefined) return;
    say(session, note(user));
    say(session, answerTo(message, user));
  }

  function takePost(
    message: RpcMessage | undefined,
    session: Session | undefined,
    response: ServerResponse,
    user: string,
  ): void {
    if (message?.method === 'server/discover') return void response.writeHead(400).end();
    let id = '';
    if (message?.method === 'initialize') {
      id = randomUUID();
      sessions.set(id, { user, stream: undefined });
    } else if (session === undefined) return void response.writeHead(404).end();
    if (message?.id === undefined) return void response.writeHead(202).end();
    if (session !== undefined) say(session, note(user));
    response
      .writeHead(200, { 'content-type': 'application/json', ...(id && { 'mcp-session-id': id }) })
      .end(JSON.stringify(answerTo(message, user)));
  }

  return {
    origin,
    crossed,
    refused,
    dropSessions() {
      for (const { stream } of sessions.values()) stream?.destroy();
      sessions.clear();
    },
    async [Symbol.asyncDispose]() {
      await modern.close();
      await close();
    },
  };
}

/** A log message on a session. */
const note = (user: string): object => ({
  jsonrpc: '2.0',
  method: 'notifications/message',
  params: { level: 'info', data: user },
});

function say({ stream }: Session, message: object): void {
  stream?.write(`event: message\ndata: ${JSON.stringify(message)}\n\n`);
}

function modernServer(user: string): McpServer {
  const server = new McpServer({ name: 'users', version: '1' });
  const readOnly = { annotations: { readOnlyHint: true } };
  for (const name of ['who', `of-${user}`]) {
    server.registerTool(name, readOnly, () => ({ content: [{ type: 'text', text: user }] }));
  }
  return server;
}
