import { Buffer } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRandom } from '@longwire/client/testing';
import { ChaosSession, type ClientMessage } from './chaos-session.ts';
import { EventLog } from './event-log.ts';

/** Options of the server. */
export interface ChaosServerOptions {
  /** Whether events have ids, and a session can be taken up again by them. */
  resumable: boolean;
  /** Decides whether a call is run before or after its POST is answered, and what is forgotten. */
  seed: number;
  /** For how long a session can be taken up again, in milliseconds. Default 3000. */
  sessionLifeMs?: number;
  /** The share of those sessions that is forgotten at once nevertheless. Default 0.2. */
  forgottenShare?: number;
  /** A tool is run. */
  onRun: (key: number) => void;
  /** The client did what no client may do. */
  onBreach: (what: string) => void;
}

/** An MCP server over HTTP+SSE that counts what it runs, and forgives nothing. */
export interface ChaosServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`; the stream is at `/sse`. */
  readonly origin: string;
  /** Sessions that were ever opened. */
  openedSessions(): number;
  /** Sessions that exist now, with a stream or waiting for one. */
  liveSessions(): number;
  /** Streams that are open now. */
  openStreams(): number;
  /** How often a session was taken up again. */
  resumptions(): number;
}

interface LiveSession {
  mcp: ChaosSession;
  log: EventLog;
  stream: ServerResponse | undefined;
  expiry: NodeJS.Timeout | undefined;
}

/** Starts a server on a free port of 127.0.0.1. */
export async function startChaosServer(options: ChaosServerOptions): Promise<ChaosServer> {
  const { resumable, sessionLifeMs = 3000, forgottenShare = 0.2, onRun, onBreach } = options;
  const random = createRandom(options.seed);
  const sessions = new Map<string, LiveSession>();
  let openedSessions = 0;
  let resumptions = 0;

  function openStream(request: IncomingMessage, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
    response.flushHeaders();
    const resumed = resumable ? resume(request, response) : undefined;
    const id = resumed ?? open(response);
    response.once('close', () => streamClosed(id, response));
  }

  function open(response: ServerResponse): string {
    const id = randomUUID();
    openedSessions += 1;
    const log = new EventLog();
    const mcp = new ChaosSession({
      send: (message) => {
        const data = JSON.stringify(message);
        const number = resumable ? log.add(data) : 0;
        const stream = sessions.get(id)?.stream;
        if (stream !== undefined) sendEvent(stream, 'message', data, eventId(id, number));
      },
      onRun,
      onBreach,
    });
    sessions.set(id, { mcp, log, stream: response, expiry: undefined });
    sendEvent(response, 'endpoint', `/messages?session=${id}`, eventId(id, 0));
    return id;
  }

  /** Takes up the session that the client was in; its id, or `undefined` if that cannot be. */
  function resume(request: IncomingMessage, response: ServerResponse): string | undefined {
    const [id = '', number = ''] = String(request.headers['last-event-id'] ?? '').split(':');
    const session = sessions.get(id);
    const missed = session?.log.after(Number(number));
    if (session === undefined || missed === undefined || number === '') return undefined;
    resumptions += 1;
    clearTimeout(session.expiry);
    session.stream?.destroy();
    session.stream = response;
    sendEvent(response, 'endpoint', `/messages?session=${id}`, eventId(id, Number(number)));
    for (const event of missed) {
      sendEvent(response, 'message', event.data, eventId(id, event.number));
    }
    return id;
  }

  function streamClosed(id: string, response: ServerResponse): void {
    const session = sessions.get(id);
    if (session?.stream !== response) return;
    session.stream = undefined;
    if (!resumable || random.chance(forgottenShare)) end(id);
    else session.expiry = setTimeout(() => end(id), sessionLifeMs);
  }

  function end(id: string): void {
    const session = sessions.get(id);
    clearTimeout(session?.expiry);
    session?.mcp.close();
    sessions.delete(id);
  }

  function eventId(id: string, number: number): string | undefined {
    return resumable ? `${id}:${number}` : undefined;
  }

  async function takePost(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', 'http://server');
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const session = sessions.get(url.searchParams.get('session') ?? '');
    const message = parse(Buffer.concat(chunks).toString());
    if (session === undefined) {
      response.writeHead(404).end('no such session');
    } else if (message?.jsonrpc !== '2.0') {
      onBreach('a POST without a JSON-RPC message');
      response.writeHead(400).end();
    } else if (random.chance(0.5)) {
      response.writeHead(202).end('Accepted');
      session.mcp.receive(message);
    } else {
      session.mcp.receive(message);
      response.writeHead(202).end('Accepted');
    }
  }

  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    // The connection broke: what has not arrived as a whole does not count.
    request.on('error', () => {});
    response.on('error', () => {});
    const { pathname } = new URL(request.url ?? '', 'http://server');
    if (request.method === 'GET' && pathname === '/sse') openStream(request, response);
    else if (request.method !== 'POST' || pathname !== '/messages') response.writeHead(404).end();
    else takePost(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    openedSessions: () => openedSessions,
    liveSessions: () => sessions.size,
    openStreams: () => [...sessions.values()].filter(({ stream }) => stream !== undefined).length,
    resumptions: () => resumptions,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const id of sessions.keys()) end(id);
      server.closeAllConnections();
      await closed;
    },
  };
}

function sendEvent(stream: ServerResponse, event: string, data: string, id?: string): void {
  if (stream.destroyed) return;
  stream.write(`${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${data}\n\n`);
}

function parse(text: string): ClientMessage | undefined {
  try {
    return JSON.parse(text) as ClientMessage;
  } catch {
    return undefined;
  }
}
