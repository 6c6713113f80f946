import { Buffer } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Random } from '@longwire/testing';
import type { ClientMessage } from './chaos-session.ts';

/** Options of a server's transport. */
export interface ServerTransportOptions {
  /** Whether events have ids, by which a stream can be resumed. */
  resumable: boolean;
  /** Decides what a server may do in one way or another. */
  random: Random;
  /** For how long a session is kept that nobody uses, in milliseconds. */
  sessionLifeMs: number;
  /** The share of sessions that are lost as soon as their stream breaks. */
  lostShare: number;
  /** The share of answers that are documents rather than streams of events. */
  documentShare: number;
  /** The share of streams that the server ends before the answer, for the client to come back. */
  pausedShare: number;
  /** A tool is run. */
  onRun: (key: number) => void;
  /** The client did what no client may do. */
  onBreach: (what: string) => void;
}

/** How a server talks over HTTP. */
export interface ServerTransport {
  /** Where it is found. */
  readonly path: string;
  /** Takes one request. */
  take(request: IncomingMessage, response: ServerResponse): Promise<void> | void;
  /** Says that the list of tools has changed, to whoever listens. */
  announce(): void;
  /** Drops every session, and what runs. */
  dropSessions(): void;
  /** Sessions that were ever opened. */
  readonly openedSessions: number;
  /** Sessions that exist now. */
  readonly liveSessions: number;
  /** Streams that are open now. */
  readonly openStreams: number;
  /** How often a stream was resumed. */
  readonly resumptions: number;
}

/** One event, as it goes over the wire. */
export interface WireEvent {
  data: string;
  event?: string;
  id?: string | undefined;
  retryMs?: number;
}

/** Begins a stream of events. */
export function beginEvents(response: ServerResponse, headers: Record<string, string> = {}): void {
  const type = { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' };
  response.writeHead(200, { ...type, ...headers });
  response.flushHeaders();
}

/** Sends one event, unless the stream is broken. */
export function sendEvent(
  stream: ServerResponse | undefined,
  { data, event, id, retryMs }: WireEvent,
): void {
  if (stream === undefined || stream.destroyed) return;
  stream.write(
    (id === undefined ? '' : `id: ${id}\n`) +
      (event === undefined ? '' : `event: ${event}\n`) +
      (retryMs === undefined ? '' : `retry: ${retryMs}\n`) +
      `data: ${data}\n\n`,
  );
}

/** Refuses a request, with what a person may read. */
export function refuse(response: ServerResponse, status: number, why: string): void {
  response.writeHead(status, { 'content-type': 'text/plain' }).end(why);
}

/**
 * The message in the body of a POST; `undefined` if it is none.
 *
 * @throws if the connection breaks before it has arrived as a whole.
 */
export async function readMessage(request: IncomingMessage): Promise<ClientMessage | undefined> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  try {
    const message = JSON.parse(Buffer.concat(chunks).toString()) as ClientMessage;
    return message.jsonrpc === '2.0' ? message : undefined;
  } catch {
    return undefined;
  }
}
