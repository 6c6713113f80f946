import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Transform } from 'node:stream';
import { startHttpFixture, type HttpFixture, type RecordedRequest } from './http-fixture.ts';

/** How a small server goes about HTTP. Everything it says goes through here. */
export interface HttpHabits {
  /** Answers a request instead of the server if it returns true. */
  before?: (request: RecordedRequest, response: ServerResponse) => boolean;
  /** Headers of every answer. */
  headers?: OutgoingHttpHeaders;
  /** The type of what has a body; `null`: none is named. Default: that of what it is. */
  contentType?: string | null;
  /** Encodes the bodies. */
  encoder?: () => Transform & { flush(): void };
  /** Answers requests by POST with a stream of events. Default: with a document. */
  streams?: boolean;
  /** What the `endpoint` event of the SSE stream names. Default: `/messages?session_id=…`. */
  endpoint?: (session: string) => string;
  /** What a tool answers, by its name. Default: its arguments. */
  tool?: (name: string) => string;
  /** Where its paths are. Default: at the root. */
  prefix?: string;
}

interface Message {
  id?: number | string;
  method: string;
  params?: { name?: string; arguments?: unknown; protocolVersion?: string };
}

/**
 * A small MCP server of both older transports: `POST /mcp`; `GET /sse` with `POST /messages`. What
 * matters of it is how it does HTTP.
 */
export function startSmallServer(habits: HttpHabits = {}): Promise<HttpFixture> {
  const streams = new Map<string, (text: string) => void>();
  const { prefix = '' } = habits;
  let sessions = 0;
  return startHttpFixture((request, response) => {
    if (habits.before?.(request, response) === true) return;
    const url = new URL(request.url, 'http://h');
    const message = request.json as Message | undefined;
    if (url.pathname === `${prefix}/sse` && request.method === 'GET') {
      const session = `session-${++sessions}`;
      const send = begin(response, habits, typeOf(habits, 'text/event-stream'));
      streams.set(session, send);
      response.on('close', () => streams.delete(session));
      const endpoint = habits.endpoint?.(session) ?? `${prefix}/messages?session_id=${session}`;
      send(`event: endpoint\ndata: ${endpoint}\n\n`);
    } else if (url.pathname === `${prefix}/messages` && message !== undefined) {
      const send = streams.get(url.searchParams.get('session_id') ?? '');
      if (send === undefined) {
        response.writeHead(404).end('no such session');
        return;
      }
      response.writeHead(202).end();
      const answer = answerTo(message, habits);
      if (answer !== undefined) send(eventOf(answer));
    } else if (url.pathname === `${prefix}/mcp` && request.method === 'POST') {
      const answer = message && answerTo(message, habits);
      if (answer === undefined) {
        response.writeHead(202, habits.headers).end();
        return;
      }
      const type = habits.streams === true ? 'text/event-stream' : 'application/json';
      const send = begin(response, habits, typeOf(habits, type));
      send(habits.streams === true ? eventOf(answer) : JSON.stringify(answer));
      send(undefined);
    } else response.writeHead(request.method === 'GET' ? 405 : 404).end();
  });
}

function typeOf({ contentType }: HttpHabits, usual: string): string | null {
  return contentType === undefined ? usual : contentType;
}

function eventOf(message: object): string {
  return `event: message\ndata: ${JSON.stringify(message)}\n\n`;
}

/** Begins an answer; each text that is sent then goes out at once, and `undefined` ends it. */
function begin(
  response: ServerResponse,
  { headers, encoder }: HttpHabits,
  contentType: string | null,
): (text: string | undefined) => void {
  response.writeHead(200, {
    ...(contentType !== null && { 'content-type': contentType }),
    ...headers,
  });
  const encoding = encoder?.();
  encoding?.on('data', (chunk: Buffer) => response.write(chunk));
  encoding?.on('end', () => response.end());
  return (text) => {
    const to = encoding ?? response;
    if (text === undefined) to.end();
    else {
      to.write(text);
      encoding?.flush();
    }
  };
}

function answerTo({ id, method, params }: Message, habits: HttpHabits): object | undefined {
  if (id === undefined) return undefined;
  const result = resultOf(method, params, habits);
  return result === undefined
    ? { jsonrpc: '2.0', id, error: { code: -32601, message: 'Method not found' } }
    : { jsonrpc: '2.0', id, result };
}

function resultOf(method: string, params: Message['params'], { tool }: HttpHabits): unknown {
  if (method === 'initialize') {
    const { protocolVersion } = params ?? {};
    const serverInfo = { name: 'small', version: '1' };
    return { protocolVersion, capabilities: { tools: {} }, serverInfo };
  }
  if (method === 'ping') return {};
  const name = params?.name ?? '';
  if (method === 'tools/list')
    return { tools: [{ name: 'echo', inputSchema: { type: 'object' } }] };
  if (method !== 'tools/call') return undefined;
  const text = tool?.(name) ?? JSON.stringify(params?.arguments ?? {});
  return { content: [{ type: 'text', text }] };
}
