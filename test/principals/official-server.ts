import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import { McpServer as OldServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import {
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { McpServer } from '@modelcontextprotocol/server';
import type { UserServer } from './user-server.ts';

/** What {@link startOfficialServer} has of a server that knows its users. */
export type OfficialServer = Pick<UserServer, 'origin' | 'crossed' | 'expire' | 'touch' | 'close'>;

type Request = IncomingMessage & { auth?: { token: string; clientId: string; scopes: string[] } };

/** By whom a tool was called, as the very request said, and what it may tell meanwhile. */
interface Asked {
  user: string;
  progress: (message: string) => Promise<void>;
  log: (data: string) => Promise<void>;
}

/** A session of one user, whichever SDK made it. */
interface Session {
  user: string;
  handle(request: Request, response: ServerResponse): Promise<void>;
  close(): Promise<void>;
}

/**
 * The official servers on a free port: HTTP+SSE of the SDK 1.x at `/sse`, Streamable HTTP with sessions of
 * the SDK 2.x at `/mcp`. What they answer names the subject of the token that came with the request.
 */
export async function startOfficialServer(): Promise<OfficialServer> {
  const crossed: string[] = [];
  const firstValid = new Map<string, number>();
  const sessions = new Map<string, Session>();
  const subscribed = new Map<object, { user: string; tell: (params: object) => Promise<void> }>();

  const said = (text: string) => ({ content: [{ type: 'text' as const, text }] });
  const tools = (
    owner: string,
  ): Record<string, (asked: Asked) => Promise<ReturnType<typeof said>>> => {
    const who = async ({ user }: Asked): Promise<ReturnType<typeof said>> => {
      if (user !== owner) crossed.push(`${user} called in a session of ${owner}`);
      return said(user);
    };
    return {
      who,
      own: who,
      note: who,
      [`only-${owner}`]: who,
      steps: async (asked) => {
        await asked.progress(asked.user);
        await asked.log(asked.user);
        await sleep(5);
        await asked.progress(asked.user);
        return who(asked);
      },
    };
  };
  const annotationsOf = (name: string): object => ({
    annotations: { readOnlyHint: name === 'who' || name === 'own' },
  });
  const capabilities = { logging: {}, resources: { subscribe: true } };
  const read = (user: string) => (uri: URL) => ({ contents: [{ uri: uri.href, text: user }] });

  function createOld(owner: string): OldServer {
    const server = new OldServer(
      { name: `of ${owner}`, version: '1.0.0' },
      { capabilities, instructions: owner },
    );
    for (const [name, run] of Object.entries(tools(owner))) {
      server.registerTool(name, annotationsOf(name), async (extra) => {
        const progressToken = extra._meta?.progressToken;
        return run({
          user: extra.authInfo?.clientId ?? 'nobody',
          progress: async (message) => {
            if (progressToken === undefined) return;
            const params = { progressToken, progress: 1, message };
            await extra.sendNotification({ method: 'notifications/progress', params });
          },
          log: (data) => server.sendLoggingMessage({ level: 'info', data }),
        });
      });
    }
    server.registerResource('mine', 'user://mine', {}, read(owner));
    const tell = (params: object): Promise<void> =>
      server.server.sendResourceUpdated(params as { uri: string });
    server.server.setRequestHandler(SubscribeRequestSchema, () => {
      subscribed.set(server, { user: owner, tell });
      return {};
    });
    server.server.setRequestHandler(UnsubscribeRequestSchema, () => {
      subscribed.delete(server);
      return {};
    });
    return server;
  }

  function createNew(owner: string): McpServer {
    const server = new McpServer(
      { name: `of ${owner}`, version: '1.0.0' },
      { capabilities, instructions: owner },
    );
    for (const [name, run] of Object.entries(tools(owner))) {
      server.registerTool(name, annotationsOf(name), async ({ http, mcpReq }) => {
        const progressToken = mcpReq._meta?.progressToken;
        return run({
          user: http?.authInfo?.clientId ?? 'nobody',
          progress: async (message) => {
            if (progressToken === undefined) return;
            const params = { progressToken, progress: 1, message };
            await mcpReq.notify({ method: 'notifications/progress', params });
          },
          log: (data) => mcpReq.log('info', data),
        });
      });
    }
    server.registerResource('mine', 'user://mine', {}, read(owner));
    const tell = (params: object): Promise<void> =>
      server.server.sendResourceUpdated(params as { uri: string });
    server.server.setRequestHandler('resources/subscribe', () => {
      subscribed.set(server, { user: owner, tell });
      return {};
    });
    server.server.setRequestHandler('resources/unsubscribe', () => {
      subscribed.delete(server);
      return {};
    });
    return server;
  }

  async function openSse(user: string, response: ServerResponse): Promise<void> {
    const transport = new SSEServerTransport('/messages', response);
    const server = createOld(user);
    const { sessionId } = transport;
    sessions.set(sessionId, {
      user,
      handle: (request, answer) => transport.handlePostMessage(request, answer),
      close: () => transport.close(),
    });
    response.once('close', () => {
      sessions.delete(sessionId);
      subscribed.delete(server);
    });
    await server.connect(transport);
  }

  async function openStreamable(user: string): Promise<Session> {
    const transport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void sessions.set(id, session),
      onsessionclosed: (id) => {
        sessions.delete(id);
        subscribed.delete(server);
      },
    });
    const session: Session = {
      user,
      handle: (request, response) => transport.handleRequest(request, response),
      close: () => transport.close(),
    };
    const server = createNew(user);
    await server.connect(transport);
    return session;
  }

  async function take(request: Request, response: ServerResponse): Promise<void> {
    const [, user, number] = /^Bearer (.+)\.(\d+)$/.exec(request.headers.authorization ?? '') ?? [];
    if (user === undefined || Number(number) < (firstValid.get(user) ?? 0)) {
      response.writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token"' }).end();
      return;
    }
    const [, known = user] = /(?:^|; )user=([^;]*)/.exec(request.headers.cookie ?? '') ?? [];
    if (known !== user) crossed.push(`${user} with the cookie of ${known}`);
    response.setHeader('set-cookie', `user=${user}; Path=/`);
    request.auth = { token: 'verified', clientId: user, scopes: [] };
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://server');
    if (pathname === '/sse') return openSse(user, response);
    const id = searchParams.get('sessionId') ?? request.headers['mcp-session-id'];
    if (id === undefined) return (await openStreamable(user)).handle(request, response);
    const session = sessions.get(String(id));
    if (session?.user === user) return session.handle(request, response);
    if (session !== undefined) crossed.push(`${user} came into a session of ${session.user}`);
    response.writeHead(404).end();
  }

  const http = createServer((request, response) => {
    take(request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500);
      response.end(String(error));
    });
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return {
    origin: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    crossed,
    expire: (user, number) => void firstValid.set(user, number),
    touch: async (touched) => {
      const params = { uri: 'user://mine', _meta: { user: touched } };
      for (const { user, tell } of subscribed.values()) {
        if (user === touched) await tell(params).catch(() => {});
      }
    },
    close: async () => {
      const closed = once(http, 'close');
      http.close();
      await Promise.all([...sessions.values()].map((session) => session.close()));
      http.closeAllConnections();
      await closed;
    },
  };
}
