import { mcp, RefusedError, type McpMount } from '@longwire/server';
import { McpServer } from '@modelcontextprotocol/server';
import type { ServerResponse } from 'node:http';
import { fastify } from 'fastify';
import * as z from 'zod';

/** The kit on a free port, which knows its users by their tokens, and tells them apart in all that it says. */
export interface UserServer {
  readonly origin: string;
  /** The requests that carried something of two users: there must be none. */
  readonly crossed: string[];
  /** By whom each HTTP request came. */
  readonly users: string[];
  /** The headers of each HTTP request. */
  readonly headers: Readonly<Record<string, unknown>>[];
  /** Sessions and stateless servers that were made, by user. */
  readonly made: Map<string, number>;
  /** The tokens of a user are from now on refused, but for those of this number and above. */
  expire(user: string, number: number): void;
  /** The next requests of a user are refused by this status. */
  refuse(user: string, statuses: readonly number[]): void;
  /** How often the tool `slow` ran, by user. */
  readonly slow: ReadonlyMap<string, number>;
  /** Breaks the connections on which a user is being answered. */
  cut(user: string): void;
  /** Lets the tool `slow` end. */
  release(): void;
  /**
   * Says that a resource has changed: `user://mine` to the sessions of the user that subscribed to it, with
   * the user in `_meta`, and `user://NAME` to whoever subscribed to it.
   */
  touch(user: string): Promise<void>;
  close(): Promise<void>;
}

const COOKIE = /(?:^|; )user=([^;]*)/;

/** A token is `NAME.NUMBER`; the number says which of the user's tokens it is. */
export function tokenOf(user: string, number = 1): string {
  return `${user}.${number}`;
}

/** Starts the server. `/mcp` speaks Streamable HTTP of both eras, `/sse` HTTP+SSE. */
export async function startUserServer({ toolEvents = false } = {}): Promise<UserServer> {
  const crossed: string[] = [];
  const users: string[] = [];
  const headers: UserServer['headers'] = [];
  const made = new Map<string, number>();
  const firstValid = new Map<string, number>();
  const refusals = new Map<string, number[]>();
  const subscribed = new Map<string, Set<McpServer>>();
  const slow = new Map<string, number>();
  const answering = new Map<string, Set<ServerResponse>>();
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });

  function create(user: string): McpServer {
    made.set(user, (made.get(user) ?? 0) + 1);
    const server = new McpServer(
      { name: `of ${user}`, version: '1.0.0' },
      { capabilities: { logging: {}, resources: { subscribe: true } }, instructions: user },
    );
    const said = (text: string) => ({ content: [{ type: 'text' as const, text }] });
    const annotations = { readOnlyHint: true };
    server.registerTool('who', { annotations }, () => said(user));
    server.registerTool(
      'say',
      { inputSchema: z.object({ text: z.string() }), annotations },
      ({ text }) => said(`${user} ${text}`),
    );
    server.registerTool('note', {}, () => said(user));
    // The same name means something else for each user.
    server.registerTool(
      'own',
      { outputSchema: z.object({ [user]: z.string() }), annotations },
      () => ({ ...said(user), structuredContent: { [user]: user } }),
    );
    server.registerTool(`only-${user}`, { annotations }, () => said(user));
    server.registerTool('steps', {}, async ({ mcpReq }) => {
      const progressToken = mcpReq._meta?.progressToken;
      if (progressToken !== undefined) {
        const params = { progressToken, progress: 1, message: user };
        await mcpReq.notify({ method: 'notifications/progress', params });
      }
      await mcpReq.log('info', user);
      return said(user);
    });
    server.registerTool('slow', {}, async ({ mcpReq }) => {
      slow.set(user, (slow.get(user) ?? 0) + 1);
      const progressToken = mcpReq._meta?.progressToken as string;
      const tell = (progress: number): Promise<void> => {
        const params = { progressToken, progress, message: user };
        return mcpReq.notify({ method: 'notifications/progress', params });
      };
      await tell(1);
      await released;
      await tell(2);
      return said(user);
    });
    server.registerResource('mine', `user://mine`, {}, ({ href }) => ({
      contents: [{ uri: href, text: user }],
    }));
    server.server.setRequestHandler('resources/subscribe', () => {
      const servers = subscribed.get(user) ?? new Set();
      subscribed.set(user, servers.add(server));
      return {};
    });
    server.server.setRequestHandler('resources/unsubscribe', () => {
      subscribed.get(user)?.delete(server);
      return {};
    });
    return server;
  }

  let mount: McpMount | undefined;
  const app = fastify({ forceCloseConnections: true });
  app.addHook('onRequest', async ({ raw }, reply) => {
    const user = userOf(raw.headers);
    users.push(user ?? 'nobody');
    if (user !== undefined) {
      const { raw: response } = reply;
      const responses = answering.get(user) ?? new Set();
      answering.set(user, responses.add(response));
      response.once('close', () => responses.delete(response));
    }
    headers.push(raw.headers);
    const { cookie = '' } = raw.headers;
    const [, known] = COOKIE.exec(cookie) ?? [];
    if (known !== undefined && known !== user) crossed.push(`${user} with the cookie of ${known}`);
    if (user !== undefined) reply.raw.setHeader('set-cookie', `user=${user}; Path=/`);
  });
  await app.register(mcp, {
    create: ({ principal }) => create(principal.id),
    toolEvents,
    onMount: (own) => (mount = own),
    auth: (request) => {
      const user = userOf(request.headers);
      const [status] = refusals.get(user ?? '')?.splice(0, 1) ?? [];
      if (status !== undefined)
        throw new RefusedError({ status, code: -32_000, message: 'not now' });
      const number = Number(String(request.headers.authorization).split('.')[1]);
      if (user === undefined || number < (firstValid.get(user) ?? 0)) {
        throw new RefusedError({ status: 401, code: -32_001, message: 'no such token' });
      }
      return { id: user };
    },
  });
  const origin = await app.listen({ port: 0, host: '127.0.0.1' });
  return {
    origin,
    crossed,
    users,
    headers,
    made,
    expire: (user, number) => void firstValid.set(user, number),
    slow,
    cut: (user) => {
      for (const response of answering.get(user) ?? []) response.destroy();
    },
    release,
    refuse: (user, statuses) => void refusals.set(user, [...statuses]),
    touch: async (user) => {
      mount?.notify.resourceUpdated(`user://${user}`);
      for (const { server } of subscribed.get(user) ?? []) {
        const params = { uri: 'user://mine', _meta: { user } };
        await server.sendResourceUpdated(params).catch(() => {});
      }
    },
    close: async () => {
      release();
      await app.close();
    },
  };
}

function userOf(headers: { authorization?: string | undefined }): string | undefined {
  return /^Bearer (.+)\.\d+$/.exec(headers.authorization ?? '')?.[1];
}
