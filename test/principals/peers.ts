import { fileURLToPath } from 'node:url';
import type { ClientOptions, TargetOption } from '@longwire/client';
import { createFaultyProxy } from '@longwire/testing';
import { startOfficialServer, type OfficialServer } from './official-server.ts';
import { startUserServer } from './user-server.ts';

/** A server with users, as a client reaches it. */
export interface Peer {
  target: TargetOption;
  options: ClientOptions;
  /** Users show who they are by tokens; else by the arguments of their calls. */
  hasTokens: boolean;
  /** The resource of a user. */
  uriOf(user: string): string;
  /** What came to the server that was of two users. */
  crossed: readonly string[];
  /** The tokens of a user are from now on refused, but for those of this number and above. */
  expire(user: string, number: number): void;
  /** Says that the resource of a user has changed. */
  touch(user: string): Promise<void>;
  /** Breaks all connections; the next call of `exit` does the same where there is no network. */
  cut(): void;
  close(): Promise<void>;
}

/** The servers, by what they are and speak. */
export const PEERS: Record<string, () => Promise<Peer>> = {
  'the kit, HTTP+SSE': () => behindProxy(startUserServer(), '/sse'),
  'the kit, Streamable HTTP': () =>
    behindProxy(startUserServer(), '/mcp', { protocol: '2025-11-25' }),
  'the kit, 2026-07-28': () => behindProxy(startUserServer(), '/mcp', { protocol: '2026-07-28' }),
  'the kit, tool-events': () =>
    behindProxy(startUserServer({ toolEvents: true }), '/sse', { transport: 'tool-events' }),
  'the official server 1.x, HTTP+SSE': () => behindProxy(startOfficialServer(), '/sse'),
  'the official server 2.x, Streamable HTTP': () => behindProxy(startOfficialServer(), '/mcp'),
  'processes of the official server, stdio': async () => ({
    target: {
      command: process.execPath,
      args: [fileURLToPath(new URL('process-server.mjs', import.meta.url))],
    },
    options: {},
    hasTokens: false,
    uriOf: () => 'user://mine',
    crossed: [],
    expire: () => {},
    touch: async () => {},
    cut: () => {},
    close: async () => {},
  }),
};

async function behindProxy(
  starting: Promise<OfficialServer>,
  path: string,
  options: ClientOptions = {},
): Promise<Peer> {
  const server = await starting;
  const proxy = await createFaultyProxy({ target: server.origin });
  return {
    ...server,
    target: `${proxy.origin}${path}`,
    options,
    hasTokens: true,
    uriOf: (user) => (options.protocol === '2026-07-28' ? `user://${user}` : 'user://mine'),
    cut: () => proxy.cutAll(),
    close: async () => {
      await proxy.close();
      await server.close();
    },
  };
}
