import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach } from 'vitest';

/** An HTTP server of a test, on a port of its own. */
export interface FakeServer {
  url: string;
  close(): Promise<void>;
}

/** What gives a server that is started, and ends it with the test. */
export function untilTheEndOfEachTest(): <S extends FakeServer>(server: Promise<S>) => Promise<S> {
  const open: FakeServer[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((server) => server.close()));
  });
  return async (server) => {
    const started = await server;
    open.push(started);
    return started;
  };
}

/** Serves with one function on 127.0.0.1. */
export async function listen(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<FakeServer> {
  const server: Server = createServer(handler);
  // Longer than other work in the same process may keep it busy.
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** An MCP server over HTTP+SSE with one tool, or several; `onCall` answers the POST of a call itself. */
export function listenMcp(options: {
  tool: object | readonly object[];
  onCall?: (response: ServerResponse) => void;
  result?: (args: unknown) => unknown;
}): Promise<FakeServer> {
  let stream: ServerResponse | undefined;
  return listen((request, response) => {
    if (request.method === 'GET') {
      stream = response;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('event: endpoint\ndata: /messages?session_id=0123456789\n\n');
      return;
    }
    void body(request).then((text) => {
      const { id, method, params } = JSON.parse(text) as {
        id?: number;
        method: string;
        params?: { protocolVersion?: string; arguments?: unknown };
      };
      if (method === 'tools/call' && options.onCall !== undefined) return options.onCall(response);
      response.writeHead(202).end();
      if (id === undefined) return;
      const results: Record<string, unknown> = {
        initialize: {
          protocolVersion: params?.protocolVersion,
          capabilities: { tools: {} },
          serverInfo: { name: 'fake', version: '1' },
        },
        'tools/list': { tools: [options.tool].flat() },
        'tools/call': options.result?.(params?.arguments) ?? { content: [] },
      };
      const message = { jsonrpc: '2.0', id, result: results[method] ?? {} };
      stream?.write(`event: message\ndata: ${JSON.stringify(message)}\n\n`);
    });
  });
}

/** One answer of Claude: text in pieces, or a call of a tool; or an HTTP error. */
export type FakeAnswer =
  | { text: string[] }
  | { tool: string; args: object }
  | { status: number; error: { type: string; message: string } };

/** Claude's API, which gives these answers one after the other. */
export async function listenClaude(
  answers: FakeAnswer[],
): Promise<FakeServer & { requests: string[]; headers: IncomingHttpHeaders[] }> {
  const requests: string[] = [];
  const headers: IncomingHttpHeaders[] = [];
  const server = await listen((request, response) => {
    void body(request).then((text) => {
      requests.push(text);
      headers.push(request.headers);
      const answer = answers[Math.min(requests.length, answers.length) - 1];
      if (answer === undefined) return response.destroy();
      if ('status' in answer) {
        response.writeHead(answer.status, { 'content-type': 'application/json' });
        return response.end(JSON.stringify({ type: 'error', error: answer.error }));
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const event of eventsOf(answer)) {
        response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
      }
      return response.end();
    });
  });
  return { ...server, requests, headers };
}

function eventsOf(answer: Exclude<FakeAnswer, { status: number }>): { type: string }[] {
  const isText = 'text' in answer;
  const deltas = isText
    ? answer.text.map((text) => ({ type: 'text_delta', text }))
    : [{ type: 'input_json_delta', partial_json: JSON.stringify(answer.args) }];
  const block = isText
    ? { type: 'text', text: '' }
    : { type: 'tool_use', id: `toolu_${answer.tool}`, name: answer.tool, input: {} };
  const message = {
    id: 'msg',
    type: 'message',
    role: 'assistant',
    model: 'fake',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: 1, output_tokens: 1 },
  };
  const events = [
    { type: 'message_start', message },
    { type: 'content_block_start', index: 0, content_block: block },
    ...deltas.map((delta) => ({ type: 'content_block_delta', index: 0, delta })),
    { type: 'content_block_stop', index: 0 },
    {
      type: 'message_delta',
      delta: { stop_reason: isText ? 'end_turn' : 'tool_use', stop_sequence: null },
      usage: { output_tokens: 1 },
    },
    { type: 'message_stop' },
  ];
  return events;
}

async function body(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}
