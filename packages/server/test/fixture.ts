import type { FastifyInstance } from 'fastify';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { request } from 'undici';
import { afterEach, expect } from 'vitest';
import { serve, type ServeOptions, type Serving } from '../src/index.ts';
import { RawStream } from './raw-stream.ts';
import { createSample, type Sample } from './sample-server.ts';

/** What is still open; closed after each test, the last first. */
export const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** Serves a sample to each client; `url` is that of the event stream. */
export async function serving(
  options: Partial<ServeOptions> = {},
): Promise<Serving & { mcpUrl: string; samples: Sample[] }> {
  const samples: Sample[] = [];
  const served = await serve({
    create: () => {
      const sample = createSample();
      samples.push(sample);
      return sample.server;
    },
    ...options,
  });
  open.push(() => served.close());
  return { ...served, url: served.sseUrl, mcpUrl: served.url, samples };
}

/** Opens an event stream. */
export async function stream(url: string, headers?: Record<string, string>): Promise<RawStream> {
  const raw = await RawStream.get(url, headers);
  open.push(() => raw[Symbol.asyncDispose]());
  return raw;
}

/** Opens an event stream on a bare socket, to send odd paths or to stop reading. */
export async function openSocket(
  url: string,
  path = '/sse',
): Promise<{ socket: Socket; endpoint: string }> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  open.push(async () => socket.destroy());
  socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
  let head = '';
  for (;;) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    head += chunk.toString();
    const endpoint = /data: (\S+)\n\n/.exec(head)?.[1];
    if (endpoint !== undefined) return { socket, endpoint };
  }
}

/** Where a stream's client posts to. */
export async function endpointOf(raw: RawStream, url: string): Promise<string> {
  return new URL(await raw.nextOf('endpoint'), url).href;
}

/** A response, read. */
export interface Answer {
  status: number;
  text: string;
  headers: Record<string, string | string[] | undefined>;
}

/** Posts a body, as JSON unless told otherwise. */
export async function post(
  url: string,
  body: string | object,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const answer = await request(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return {
    status: answer.statusCode,
    headers: answer.headers,
    text: await answer.body.text(),
  };
}

/** The first result in a body, be it JSON or an event stream. */
export function answerIn(text: string): unknown {
  return JSON.parse(/\{.*"result".*\}/.exec(text)?.[0] ?? text);
}

/** What a client of Streamable HTTP takes. */
const ACCEPT = { accept: 'application/json, text/event-stream' };

/** Opens a session of Streamable HTTP; the headers of its requests. */
export async function opened(mcpUrl: string): Promise<Record<string, string>> {
  const clientInfo = { name: 'c', version: '1' };
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo };
  const body = { jsonrpc: '2.0', id: 0, method: 'initialize', params };
  const answer = await post(mcpUrl, body, ACCEPT);
  expect(answerIn(answer.text)).toMatchObject({
    result: { capabilities: { experimental: { 'longwire/repeatedIds': {} } } },
  });
  return {
    ...ACCEPT,
    'mcp-session-id': String(answer.headers['mcp-session-id']),
    'mcp-protocol-version': '2025-11-25',
  };
}

/** A message that calls a tool. */
export function call(id: number, name: string, args: object = {}): object {
  return { jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args } };
}

/** A message that every server answers. */
export const PING = { jsonrpc: '2.0', id: 1, method: 'ping' };

/** Lets the application listen; its address. */
export async function listening(app: FastifyInstance): Promise<string> {
  open.push(() => app.close());
  return app.listen({ port: 0 });
}

/** A promise, and what fulfils it. */
export function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void;
  const promise = new Promise<void>((fulfil) => {
    resolve = fulfil;
  });
  return { promise, resolve: () => resolve() };
}
