import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type NodeIncomingMessageLike, toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import * as z from 'zod';

/** A server over Streamable HTTP that counts what it does. */
export interface CountingServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT/mcp`. */
  readonly url: string;
  /** How often `charge`, which nobody may repeat, was run for an id. */
  readonly charges: Map<string, number>;
  /** How often `receipt`, which is harmless, was run for an id. */
  readonly receipts: Map<string, number>;
  /** Called on every run of a tool. */
  onRun: (() => void) | undefined;
}

/** Starts it on a free port. Its tools: `charge`, unsafe, and `receipt`, idempotent. */
export async function startCountingServer(): Promise<CountingServer> {
  const charges = new Map<string, number>();
  const receipts = new Map<string, number>();
  const counting: Pick<CountingServer, 'onRun'> = { onRun: undefined };

  function createSession(): McpServer {
    const server = new McpServer({ name: 'counting', version: '1.0.0' });
    const inputSchema = z.object({ id: z.string() });
    const count = (counts: Map<string, number>) => async (args: { id: string }) => {
      counts.set(args.id, (counts.get(args.id) ?? 0) + 1);
      counting.onRun?.();
      // So that what ends the caller may come between the effect and the answer.
      await new Promise((resolve) => setImmediate(resolve));
      return { content: [{ type: 'text' as const, text: JSON.stringify({ id: args.id }) }] };
    };
    server.registerTool('charge', { inputSchema }, count(charges));
    const annotations = { idempotentHint: true };
    server.registerTool('receipt', { inputSchema, annotations }, count(receipts));
    return server;
  }

  const handler = createMcpHandler(createSession, { legacy: 'stateless' });
  const handle = toNodeHandler(handler);
  const http = createServer((request, response) => {
    void handle(request as NodeIncomingMessageLike, response);
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return Object.assign(counting, {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`,
    charges,
    receipts,
    [Symbol.asyncDispose]: async () => {
      const closed = once(http, 'close');
      http.close();
      await handler.close();
      http.closeAllConnections();
      await closed;
    },
  });
}
