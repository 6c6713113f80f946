import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRandom } from '@longwire/client/testing';
import type { DialectOptions, HttpDialect } from './http-dialect.ts';
import { SseDialect } from './sse-dialect.ts';
import { StatelessDialect } from './stateless-dialect.ts';
import { StreamableDialect } from './streamable-dialect.ts';
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
  /** Whether events have ids, and a stream can be gone on with by them. */
  resumable: boolean;
  /** Decides what a server may do in one way or another, and what is forgotten. */
  seed: number;
  /** For how long a session is kept that nobody uses, in milliseconds. Default 1500. */
  sessionLifeMs?: number;
  /** The share of sessions whose stream breaks off that is forgotten at once. Default 0.2. */
  forgottenShare?: number;
  /** The share of answers by Streamable HTTP that are documents. Default 0.4. */
  documentShare?: number;
  /** The share of the streams that can be gone on with that have to be. Default 0.05. */
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
  /** How often a stream was gone on with. */
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
  /** Forgets everything, as after a restart; `cut` says that connections break. */
  restart(options: { cut: boolean }): void;
}

const DIALECTS: Record<
  ChaosServerOptions['transport'],
  new (options: DialectOptions) => HttpDialect
> = {
  sse: SseDialect,
  'streamable-http': StreamableDialect,
  stateless: StatelessDialect,
};

/** Starts a server on a free port of 127.0.0.1. */
export async function startChaosServer(options: ChaosServerOptions): Promise<ChaosServer> {
  const dialect = new DIALECTS[options.transport]({
    sessionLifeMs: 1500,
    forgottenShare: 0.2,
    documentShare: 0.4,
    pausedShare: 0.05,
    ...options,
    random: createRandom(options.seed),
  });

  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    // The connection broke: what has not arrived as a whole does not count.
    request.on('error', () => {});
    response.on('error', () => {});
    Promise.resolve(dialect.take(request, response)).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    path: dialect.path,
    openedSessions: () => dialect.openedSessions,
    liveSessions: () => dialect.liveSessions,
    openStreams: () => dialect.openStreams,
    resumptions: () => dialect.resumptions,
    announce: () => dialect.announce(),
    restart: ({ cut }) => {
      dialect.forgetAll();
      if (cut) server.closeAllConnections();
    },
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close');
      server.close();
      dialect.forgetAll();
      server.closeAllConnections();
      await closed;
    },
  };
}
