import type { ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client';
import { startHttpFixture } from './http-fixture.ts';

/**
 * What a scripted server answers to each method; those that are not here it does not know. `$ID`
 * stands for the id of the request, the string `$DEEP` for arrays nested 100 000 deep, and `$MANY`
 * for an array of 16 MB. A version or a cursor that is asked for may have an answer of its own, with
 * it behind the method as JSON: `tools/list "two"`.
 */
export type ScriptedAnswers = Record<string, string>;

/** The text of an answer. */
export function scripted(properties: Record<string, unknown>): string {
  return JSON.stringify({ jsonrpc: '2.0', id: '$ID', ...properties }).replace('"$ID"', '$ID');
}

const unknownMethod = scripted({ error: { code: -32601, message: 'no such method' } });

/** What a server with one tool and one resource answers. */
export const goodAnswers: ScriptedAnswers = {
  initialize: scripted({
    result: {
      protocolVersion: '2025-11-25',
      capabilities: { tools: {}, resources: {} },
      serverInfo: { name: 'scripted', version: '1' },
    },
  }),
  ping: scripted({ result: {} }),
  'tools/list': scripted({
    result: { tools: [{ name: 'echo', inputSchema: { type: 'object' } }] },
  }),
  'tools/call': scripted({ result: { content: [{ type: 'text', text: 'said' }] } }),
  'resources/read': scripted({ result: { contents: [{ uri: 'a:b', text: 'read' }] } }),
};

/** A server that answers by a script, and how it is reached. */
export interface ScriptedServer extends AsyncDisposable {
  target: string | { command: string; args: string[] } | { server: () => Mountable };
}

interface Mountable {
  connect(transport: Transport): Promise<void>;
  close(): Promise<void>;
}

interface Asked {
  id?: string | number;
  method?: string;
  params?: { protocolVersion?: unknown; cursor?: unknown } | undefined;
}

/** Starts one over each transport that carries JSON-RPC. */
export const scriptedServers: Record<
  'sse' | 'streamable-http' | 'stdio' | 'in-memory',
  (answers: ScriptedAnswers) => Promise<ScriptedServer>
> = {
  async sse(answers) {
    let stream: ServerResponse | undefined;
    const server = await startHttpFixture((request, response) => {
      if (request.method === 'GET') {
        stream = response.writeHead(200, { 'content-type': 'text/event-stream' });
        stream.write('event: endpoint\ndata: /messages?session_id=1\n\n');
        return;
      }
      response.writeHead(202).end();
      const text = answerTo(request.json as Asked, answers);
      if (text !== undefined) stream?.write(`data: ${text}\n\n`);
    });
    return { target: `${server.origin}/sse`, [Symbol.asyncDispose]: () => server.close() };
  },
  async 'streamable-http'(answers) {
    const server = await startHttpFixture((request, response) => {
      if (request.method !== 'POST') {
        response.writeHead(405).end();
        return;
      }
      const { id } = request.json as Asked;
      const text = answerTo(request.json as Asked, answers);
      if (id === undefined) response.writeHead(202).end();
      else response.writeHead(200, { 'content-type': 'application/json' }).end(text);
    });
    return { target: `${server.origin}/mcp`, [Symbol.asyncDispose]: () => server.close() };
  },
  async stdio(answers) {
    const script = fileURLToPath(new URL('./stdio-servers/scripted.mjs', import.meta.url));
    return {
      target: { command: process.execPath, args: [script, JSON.stringify(answers)] },
      [Symbol.asyncDispose]: async () => {},
    };
  },
  async 'in-memory'(answers) {
    const server = (): Mountable => ({
      async connect(transport) {
        transport.onmessage = (message) => {
          const text = answerTo(message as Asked, answers);
          if (text !== undefined) void transport.send(JSON.parse(text) as JSONRPCMessage);
        };
        await transport.start();
      },
      async close() {},
    });
    return { target: { server }, [Symbol.asyncDispose]: async () => {} };
  },
};

function answerTo({ id, method, params }: Asked, answers: ScriptedAnswers): string | undefined {
  if (id === undefined || method === undefined) return undefined;
  const asked = JSON.stringify(params?.protocolVersion ?? params?.cursor);
  return (answers[`${method} ${asked}`] ?? answers[method] ?? unknownMethod)
    .replace('$ID', JSON.stringify(id))
    .replace('"$DEEP"', '['.repeat(100_000) + ']'.repeat(100_000))
    .replace('"$MANY"', `[${'1,'.repeat(8_000_000)}1]`);
}
