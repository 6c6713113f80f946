import { McpServer } from '@modelcontextprotocol/server';
import * as z from 'zod';
import { startHostileSse, type HostileSseServer } from '../../../../test/support/hostile-sse.ts';
import type { RecordedRequest } from '../../../../test/support/http-fixture.ts';
import {
  startStreamable,
  type StreamableMischief,
  type StreamableServer,
} from '../../../../test/support/streamable-fixture.ts';
import {
  startToolEventsServer,
  type ToolEventsServerOptions,
} from '../../../../test/support/tool-events-servers.ts';
import type { Channel } from '../../src/channels/channel.ts';
import type { TargetOption } from '../../src/dial/target.ts';
import { stdioServer } from '../support/open-stdio.ts';
import type { TransportName } from '../../src/transport-name.ts';
import type { Era } from '../../src/protocol-version.ts';

/** What the contract needs of a server, whatever it speaks. */
export interface ContractServer extends AsyncDisposable {
  target: TargetOption;
  /** Makes the channel end by itself: by what the server does, or by what it meets. */
  end(channel: Channel): unknown;
  /** How much of the channel is open at the server. */
  open(): number;
}

/** A server that is spoken to over HTTP. */
export interface HttpContractServer extends ContractServer {
  headers: Record<string, string>;
  requests: RecordedRequest[];
  /** Answers what comes without its headers with 401. */
  insist(): void;
}

/** A server with a stream on which it speaks unasked. */
export interface StreamContractServer extends HttpContractServer {
  /** Writes to every stream what need not be an event. */
  write(text: string): void;
  cut(): void;
}

/** How a kind of server is started, and what a channel to it says of itself. */
export interface Kind<Server extends ContractServer> {
  transport: TransportName;
  era: Era;
  start: () => Promise<Server>;
}

const ping = { jsonrpc: '2.0' as const, id: 'last', method: 'ping' };

function asTarget({
  url,
  mischief,
}: HostileSseServer | StreamableServer): Pick<HttpContractServer, 'target' | 'headers' | 'insist'> {
  const headers = { authorization: 'Bearer test' };
  return {
    target: url,
    headers,
    insist: () => {
      mischief.requiredHeaders = headers;
    },
  };
}

async function startSse(): Promise<StreamContractServer> {
  const server = await startHostileSse();
  return {
    ...server,
    ...asTarget(server),
    end: server.cut,
    open: server.openStreams,
  };
}

async function startToolEvents(
  kind: ToolEventsServerOptions['kind'],
): Promise<StreamContractServer> {
  const server = await startToolEventsServer({ kind });
  return {
    ...server,
    target: server.url,
    headers: { api_key: server.apiKey },
    // It always does.
    insist: () => {},
    end: server.cut,
    open: server.openStreams,
  };
}

async function startHttp(mischief: StreamableMischief): Promise<StreamContractServer> {
  const server = await startStreamable(mischief);
  return {
    ...server,
    ...asTarget(server),
    // A channel of Streamable HTTP ends when what it sends meets another server than before.
    end: async (channel) => {
      server.dropSessions();
      // Of the modern era one is another for certain that takes no POST; else whoever sends asks.
      if (mischief.era === 'modern') mischief.postFaults = [{ status: 405 }];
      mischief.era = mischief.era === 'modern' ? 'legacy' : 'modern';
      await channel.send(ping).catch(() => {});
    },
    open: () => server.openStreams() + server.openReplies(),
  };
}

async function startStdio(): Promise<ContractServer> {
  return {
    target: stdioServer('tools'),
    end: (channel) => channel.send({ jsonrpc: '2.0', id: 'last', method: 'exit' }),
    // That no process is left is seen by the handles that are open.
    open: () => 0,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function startInMemory(): Promise<ContractServer> {
  const open = new Set<McpServer>();
  return {
    target: {
      server: () => {
        const server = new McpServer({ name: 'embedded', version: '1.0.0' });
        server.registerTool(
          'echo',
          { inputSchema: z.object({ message: z.string() }) },
          ({ message }) => ({ content: [{ type: 'text', text: message }] }),
        );
        open.add(server);
        server.server.onclose = () => open.delete(server);
        return server;
      },
    },
    end: () => Promise.all([...open].map((server) => server.close())),
    open: () => open.size,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Servers whose channel is one stream, and ends with it. */
export const streams: Record<string, Kind<StreamContractServer>> = {
  'HTTP+SSE': { transport: 'sse', era: 'legacy', start: startSse },
  ...Object.fromEntries(
    (['answers-in-body', 'answers-on-stream', 'fixed-endpoint'] as const).map((kind) => [
      `tool-events, ${kind}`,
      { transport: 'tool-events', era: 'legacy', start: () => startToolEvents(kind) },
    ]),
  ),
};

const streamable = { transport: 'streamable-http', era: 'legacy' } as const;
const withStream: Record<string, Kind<StreamContractServer>> = {
  'Streamable HTTP, answers as JSON': {
    ...streamable,
    start: () => startHttp({ answers: 'json' }),
  },
  'Streamable HTTP, answers as streams': { ...streamable, start: () => startHttp({}) },
};

/** Servers that can speak unasked. */
export const speaking: Record<string, Kind<StreamContractServer>> = { ...streams, ...withStream };

/** Servers that are spoken to over HTTP. */
export const http: Record<string, Kind<HttpContractServer>> = {
  ...speaking,
  'Streamable HTTP without sessions': {
    ...streamable,
    start: () => startHttp({ sessions: false }),
  },
  ...Object.fromEntries(
    (['json', 'stream'] as const).map((answers) => [
      `Streamable HTTP of the modern era, answers as ${answers}`,
      { ...streamable, era: 'modern', start: () => startHttp({ era: 'modern', answers }) },
    ]),
  ),
};

/** All of them. */
export const all: Record<string, Kind<ContractServer>> = {
  ...http,
  stdio: { transport: 'stdio', era: 'legacy', start: startStdio },
  'in-memory': { transport: 'in-memory', era: 'legacy', start: startInMemory },
};
