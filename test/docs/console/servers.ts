import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { serve } from '@longwire/server';
import { McpServer } from '@modelcontextprotocol/server';
import * as z from 'zod';
import { startOAuthServer } from '../../support/oauth-server.ts';
import { startEverything } from '../../support/peers.ts';
import { startBufferingNginx, startExpired, startWebPages } from './broken-servers.ts';

/** A server of the pages while it runs. */
interface StartedServer extends AsyncDisposable {
  /** Anywhere on it: only the port counts. */
  readonly url: string;
}

/** What stands behind a port of the pages, which write `http://127.0.0.1:3001/mcp` and the like. */
const SERVERS: Readonly<Record<number, () => Promise<StartedServer>>> = {
  /** server-everything over Streamable HTTP, at `/mcp`. */
  3001: () => startEverything({ mode: 'streamableHttp' }),
  /** The same over HTTP+SSE, at `/sse`. */
  3002: () => startEverything({ mode: 'sse' }),
  /** A server of 209 tools, at `/mcp`. */
  3003: startManyTools,
  /** A server that wants a login, and its authorization server, which is elsewhere. */
  3004: () => startOAuthServer(),
  /** A server whose calls may become tasks. */
  3005: startExports,
  /** A server of https, whose certificate has expired. */
  3011: startExpired,
  /** Web pages. */
  3012: startWebPages,
  /** server-everything over HTTP+SSE, behind an nginx that holds events back. */
  3013: startBufferingNginx,
  /** Nothing listens there. */
  3999: findDeadPort,
};

/** The servers that some text names, started. */
export interface DocumentedServers extends AsyncDisposable {
  /** The text with the addresses where the servers are. */
  real(text: string): string;
  /** The text with the addresses of the pages. */
  documented(text: string): string;
}

const ADDRESS = /(?<=\b(?:127\.0\.0\.1|localhost):)(\d{4,5})\b/g;

/** Starts those of the table whose addresses are in the text. */
export async function startDocumented(text: string): Promise<DocumentedServers> {
  const ports = new Set([...text.matchAll(ADDRESS)].map(([port]) => Number(port)));
  const started = await Promise.all(
    [...ports].map(async (port) => {
      const start = SERVERS[port];
      if (start === undefined) throw new Error(`test/docs/console/servers.ts has no port ${port}`);
      return { port: String(port), server: await start() };
    }),
  );
  const portOf = ({ server }: { server: StartedServer }): string => new URL(server.url).port;
  const toReal = new Map(started.map((each) => [each.port, portOf(each)]));
  const toDocumented = new Map(started.map((each) => [portOf(each), each.port]));
  return {
    real: (page) => page.replaceAll(ADDRESS, (port) => toReal.get(port) ?? port),
    documented: (output) => output.replaceAll(ADDRESS, (port) => toDocumented.get(port) ?? port),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(started.map(({ server }) => server[Symbol.asyncDispose]()));
    },
  };
}

/** As a company's gateway has them: eleven services with nineteen tools each. */
async function startManyTools(): Promise<StartedServer> {
  const services = ['billing', 'calendar', 'crm', 'deploy', 'docs', 'hr', 'issues', 'logs', 'mail'];
  const things = ['entry', 'group', 'label', 'owner', 'report', 'rule'];
  const verbs = { list: true, create: false, delete: false } as const;
  const create = (): McpServer => {
    const server = new McpServer({ name: 'gateway', version: '4.2.0' });
    for (const service of [...services, 'search', 'wiki']) {
      for (const thing of things) {
        for (const [verb, readOnlyHint] of Object.entries(verbs)) {
          const destructiveHint = verb === 'delete';
          server.registerTool(
            `${service}_${verb}_${thing}`,
            {
              description: `${verb} the ${thing} of ${service}`,
              annotations: { readOnlyHint, destructiveHint },
              inputSchema: z.object({
                id: z.string(),
                limit: z.number().int().max(100).default(20),
              }),
            },
            ({ id }) => ({ content: [{ type: 'text', text: `${verb} ${id}` }] }),
          );
        }
      }
      server.registerTool(
        `${service}_status`,
        { description: `is ${service} up?`, annotations: { readOnlyHint: true } },
        () => ({ content: [{ type: 'text', text: `${service} is up` }] }),
      );
    }
    return server;
  };
  const serving = await serve({ create, port: 0 });
  return { url: serving.url, [Symbol.asyncDispose]: () => serving.close() };
}

/** Its tool takes so long that a slow machine sees it at work. */
async function startExports(): Promise<StartedServer> {
  const create = (): McpServer => {
    const server = new McpServer({ name: 'exports', version: '1.0.0' });
    server.registerTool('export_all', {}, async ({ mcpReq }) => {
      await sleep(10_000, undefined, { signal: mcpReq.signal });
      return { content: [{ type: 'text', text: '1204 rows' }] };
    });
    return server;
  };
  const serving = await serve({ create, port: 0, tasks: { '*': 'required' } });
  return { url: serving.url, [Symbol.asyncDispose]: () => serving.close() };
}

async function findDeadPort(): Promise<StartedServer> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return { url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: async () => {} };
}
