import { afterEach } from 'vitest';
import {
  startHostileSse,
  type HostileSseServer,
  type Mischief,
} from '../../../../test/support/hostile-sse.ts';
import { expectNothingLeftOpen } from '../../../../test/support/open-handles.ts';
import type { RpcMessage } from '../../../../test/support/strict-mcp-session.ts';
import {
  connect,
  createClient,
  type ClientOptions,
  type ConnectionState,
  type LongwireClient,
} from '../../src/index.ts';
import { createFaultyProxy, type FaultyProxy } from '@longwire/testing';

/** Delays that are too short to slow a test down. */
export const quick: ClientOptions = { retry: { firstDelayMs: 5, maxDelayMs: 50 } };

/** An address in front of a server, which can become unreachable and come back. */
export interface Gate {
  /** The server's URL, with the address of the gate. */
  url: string;
  /** Drops all connections, and refuses new ones. */
  shut: () => void;
  /** Lets connections through again, at the address from before. */
  open: () => Promise<void>;
  /** Stops all data, in both directions, on the connections that are open now. */
  freeze: () => void;
  /** The proxy behind it. */
  proxy: FaultyProxy;
}

/**
 * Makes the servers and clients of a test file, closes them after each test, the latest first, and
 * checks that nothing is left open.
 */
export function atTheEndOfEachTest(): {
  closeLater: <T extends { close(): Promise<void> }>(thing: T) => T;
  serve: (mischief?: Mischief) => Promise<HostileSseServer>;
  gateTo: (server: { url: string }) => Promise<Gate>;
  client: (url: string, options?: ClientOptions) => LongwireClient;
  setUp: (
    mischief?: Mischief,
    options?: ClientOptions,
  ) => Promise<{ server: HostileSseServer; client: LongwireClient }>;
} {
  expectNothingLeftOpen();
  const closers: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });
  const closeLater = <T extends { close(): Promise<void> }>(thing: T): T => {
    closers.push(() => thing.close());
    return thing;
  };
  const serve = async (mischief?: Mischief): Promise<HostileSseServer> =>
    closeLater(await startHostileSse(mischief));
  const gateTo = async (server: { url: string }): Promise<Gate> => {
    const proxy = closeLater(await createFaultyProxy({ target: server.url }));
    return {
      url: proxy.origin + new URL(server.url).pathname,
      shut: () => {
        proxy.refuse();
        proxy.cutAll();
      },
      open: () => proxy.resume(),
      freeze: () => proxy.stallAll(),
      proxy,
    };
  };
  return {
    closeLater,
    serve,
    gateTo,
    client: (url, options = quick) => closeLater(createClient(url, options)),
    setUp: async (mischief, options = quick) => {
      const server = await serve(mischief);
      return { server, client: closeLater(await connect(server.url, options)) };
    },
  };
}

/** Every state from now on. */
export function statesOf(client: LongwireClient): ConnectionState[] {
  const states: ConnectionState[] = [];
  client.on('state', (state) => states.push(state));
  return states;
}

/** The calls of a tool that were accepted: each of them counts as run. */
export function runsOf(server: Pick<HostileSseServer, 'messagesOf'>, tool: string): RpcMessage[] {
  return server.messagesOf('tools/call').filter(({ params }) => params?.['name'] === tool);
}

/** How often the server was dialled. */
export function dialsOf(server: HostileSseServer): number {
  return server.requests.filter(({ method }) => method === 'GET').length;
}

/** A list of tools with these annotations and no other details. */
export function listing(
  tools: Record<string, Record<string, unknown>>,
): (request: RpcMessage) => unknown {
  return ({ method }) =>
    method === 'tools/list'
      ? {
          tools: Object.entries(tools).map(([name, annotations]) => ({
            name,
            inputSchema: { type: 'object' },
            annotations,
          })),
        }
      : undefined;
}

/** The result of `echo`. */
export const said = (text: string): unknown => ({ content: [{ type: 'text', text }] });

/** After this, everything that the server had answered before has arrived. */
export async function roundTrips(client: LongwireClient): Promise<void> {
  for (const a of [1, 2]) await client.callTool('add', { a, b: 1 });
}
