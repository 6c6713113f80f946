import type { ServerOptions } from 'node:http';
import { McpServer } from '@modelcontextprotocol/server';
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect } from 'vitest';
import * as z from 'zod';
import { mcp, type McpOptions } from '../../src/index.ts';
import { listening, open, stream } from '../fixture.ts';
import type { RawStream } from '../raw-stream.ts';
import { ask, INITIALIZE, messagesIn, type Answered } from './ask.ts';

/** A line of the log. */
export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly res?: { readonly statusCode: number };
  readonly [name: string]: unknown;
}

/** A server under attack, with a client who has nothing to do with it. */
export interface Attacked {
  readonly app: FastifyInstance;
  readonly origin: string;
  readonly port: number;
  /** What was logged so far. */
  readonly lines: readonly LogLine[];
  /** Every call of `note`, in order: what ran. */
  readonly ran: string[];
  /** Fails unless the bystander's session still works. */
  expectAlive(): Promise<void>;
  /** Fails unless a line says that a request was refused with this status, and why. */
  expectRefusalLogged(status: number, why: RegExp): void;
}

const NOTE = { inputSchema: z.object({ text: z.string() }) };

/** How a server is made for an attack, beside the kit's options. */
export interface AttackedOptions extends FastifyServerOptions {
  /** Of Node's server. */
  http?: ServerOptions;
  /** Adds tools. */
  extend?: (server: McpServer) => void;
  /** Makes the server of the user `mallory`, in place of the usual one. */
  createForMallory?: () => unknown;
}

/** A server with the tool `note`; what else it has is added by `extend`. */
export async function attacked(
  options: Omit<McpOptions, 'create'> = {},
  { extend, createForMallory, ...fastifyOptions }: AttackedOptions = {},
): Promise<Attacked> {
  let log = '';
  const ran: string[] = [];
  const app = Fastify({
    logger: { level: 'trace', stream: { write: (line: string) => void (log += line) } },
    ...fastifyOptions,
  });
  const create: McpOptions['create'] = ({ principal }) => {
    if (createForMallory !== undefined && principal.id === 'mallory') {
      return createForMallory() as McpServer;
    }
    const server = new McpServer({ name: 'attacked', version: '1.0.0' });
    server.registerTool('note', NOTE, ({ text }) => {
      ran.push(text);
      return { content: [{ type: 'text', text }] };
    });
    extend?.(server);
    return server;
  };
  await app.register(mcp, { create, auth: userOf, ...options });
  const origin = await listening(app);
  const lines = (): LogLine[] =>
    log
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as LogLine);
  const bystander = await StreamableClient.open(origin, 'bystander');
  return {
    app,
    origin,
    port: Number(new URL(origin).port),
    get lines() {
      return lines();
    },
    ran,
    async expectAlive() {
      const { message } = await bystander.call('note', { text: 'still here' });
      expect(message).toMatchObject({ result: { content: [{ text: 'still here' }] } });
    },
    expectRefusalLogged(status, why) {
      const refused = lines().filter((line) => line.msg === 'request refused');
      const ofStatus = refused.filter((line) => line['status'] === status);
      const texts = ofStatus.map((line) => JSON.stringify(line));
      expect(texts).toContainEqual(expect.stringMatching(why));
    },
  };
}

/** Whoever a request says that it is: what is attacked here is not the password. */
function userOf({ headers }: { headers: Record<string, unknown> }): { id: string } {
  return { id: typeof headers['x-user'] === 'string' ? headers['x-user'] : 'anonymous' };
}

/** A client of Streamable HTTP that sends what it is told to. */
export class StreamableClient {
  readonly id: string;
  readonly url: string;
  readonly #headers: Record<string, string>;
  #lastId = 0;

  private constructor(url: string, id: string, user: string) {
    this.url = url;
    this.id = id;
    this.#headers = { 'x-user': user, 'mcp-session-id': id };
  }

  static async open(origin: string, user: string): Promise<StreamableClient> {
    const url = `${origin}/mcp`;
    const answer = await ask(url, { body: INITIALIZE, headers: { 'x-user': user } });
    const id = answer.headers['mcp-session-id'];
    if (typeof id !== 'string') throw new Error(`no session: ${answer.status} ${answer.text}`);
    const client = new StreamableClient(url, id, user);
    await client.post({ jsonrpc: '2.0', method: 'notifications/initialized' });
    return client;
  }

  /** Posts a message. */
  async post(body: unknown, headers: Record<string, string> = {}): Promise<Answered> {
    return ask(this.url, { body, headers: { ...this.#headers, ...headers } });
  }

  /** Calls a tool; `message` is its answer. */
  async call(
    name: string,
    args: object = {},
    id: string | number = ++this.#lastId,
  ): Promise<Answered & { message: Record<string, unknown> }> {
    const params = { name, arguments: args };
    const answered = await this.post({ jsonrpc: '2.0', id, method: 'tools/call', params });
    return { ...answered, message: messagesIn(answered).at(-1) ?? {} };
  }
}

/** Opens an SSE session of a user. */
export async function sseSession(
  origin: string,
  user: string,
  { query = '', headers = {} }: { query?: string; headers?: Record<string, string> } = {},
): Promise<{ raw: RawStream; endpoint: string; id: string }> {
  const raw = await stream(`${origin}/sse${query}`, { 'x-user': user, ...headers });
  expect(raw.statusCode).toBe(200);
  const endpoint = new URL(await raw.nextOf('endpoint'), origin).href;
  const { searchParams } = new URL(endpoint);
  return {
    raw,
    endpoint,
    id: searchParams.get('sessionId') ?? searchParams.get('session_id') ?? '',
  };
}

/** A bare socket, closed after the test. */
export function bareSocket(port: number): Socket {
  const socket = connect(port, '127.0.0.1');
  // What the server does to it is the matter of the test.
  socket.on('error', () => {});
  open.push(async () => socket.destroy());
  return socket;
}

/** All that a server says to bytes on a socket of their own, until it closes the connection. */
export async function sendRaw(port: number, bytes: string): Promise<string> {
  const socket = bareSocket(port);
  let said = '';
  socket.setEncoding('utf8').on('data', (text: string) => (said += text));
  socket.write(bytes, 'latin1');
  await once(socket, 'close');
  return said;
}
