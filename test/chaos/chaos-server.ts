import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRandom } from '@longwire/testing';
import type { ServerTransportOptions, ServerTransport } from './server-transport.ts';
import { SseTransport } from './sse-transport.ts';
import { StatelessTransport } from './stateless-transport.ts';
import { StreamableTransport } from './streamable-transport.ts';
import type { TransportName } from './variants.ts';

/** What a server is asked to count and to report. */
export interface ServerWatch {
  /** A tool is run. */
  onRun: (key: number) => void;
  /** The client did what no client may do. */
  onBreach: (what: string) => void;
}

/** Options of a server over HTTP. */
export interface ChaosServerOptions extends ServerWatch {
  transport: Exclude<TransportName, 'stdio'>;
  /** Whether events have ids, by which a stream can be resumed. */
  resumable: boolean;
  /** Decides what a server may do in one way or another, and what is dropped. */
  seed: number;
  /** For how long a session is kept that nobody uses, in milliseconds. Default 1500. */
  sessionLifeMs?: number;
  /** The share of sessions that are lost as soon as their stream breaks. Default 0.2. */
  lostShare?: number;
  /** The share of answers by Streamable HTTP that are documents. Default 0.4. */
  documentShare?: number;
  /** The share of the resumable streams that are cut. Default 0.05. */
  pausedShare?: number;
}

/** What a run wants to know of a server, whatever it is reached by. */
export interface CountingServer extends AsyncDisposable {
  /** Sessions that were ever opened. */
  openedSessions(): number;
  /** Sessions that exist now. */
  liveSessions(): number;
  /** Streams that are open now. */
  openStreams(): number;
  /** How often a stream was resumed. */
  resumptions(): number;
  /** Says that the list of tools has changed, to whoever listens. */
  announce(): void;
}

/** An MCP server over HTTP that counts what it runs, and forgives nothing. */
export interface ChaosServer extends CountingServer {
  /** `http://127.0.0.1:PORT`. */
  readonly origin: string;
  /** Where on it the server is. */
  readonly path: string;
  /** Drops everything, as after a restart; `cut` says that connections break. */
  restart(options: { cut: boolean }): void;
}

const TRANSPORTS: Record<
  ChaosServerOptions['transport'],
  new (options: ServerTransportOptions) => ServerTransport
> = {
  sse: SseTransport,
  'streamable-http': StreamableTransport,
  stateless: StatelessTransport,
};

/** Starts a server on a free port of 127.0.0.1. */
export async function startChaosServer(options: ChaosServerOptions): Promise<ChaosServer> {
  const transport = new TRANSPORTS[options.transport]({
    sessionLifeMs: 1500,
    lostShare: 0.2,
    documentShare: 0.4,
    pausedShare: 0.05,
    ...options,
    random: createRandom(options.seed),
  });

  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    // The connection broke: what has not arrived as a whole does not count.
    request.on('error', () => {});
    response.on('error', () => {});
    Promise.resolve(transport.take(request, response)).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    path: transport.path,
    openedSessions: () => transport.openedSessions,
    liveSessions: () => transport.liveSessions,
    openStreams: () => transport.openStreams,
    resumptions: () => transport.resumptions,
    announce: () => transport.announce(),
    restart: ({ cut }) => {
      transport.dropSessions();
      if (cut) server.closeAllConnections();
    },
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close');
      server.close();
      transport.dropSessions();
      server.closeAllConnections();
      await closed;
    },
  };
}
