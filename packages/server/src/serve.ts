import fastify from 'fastify';
import { isIPv6, type AddressInfo } from 'node:net';
import type { ServerFactory, SseOptions } from './options.js';
import { mcpPlugin } from './plugin.js';

/** How long a request may take to arrive, body included; Fastify's own default is for ever. */
const REQUEST_TIMEOUT_MS = 30_000;

/** Options of {@link serve}, beside those of the plugin. */
export interface ServeOptions extends SseOptions {
  /** Default: 0, any free port; `url` says which. */
  port?: number;
  /**
   * Address to listen on. Any address but loopback is open to the network: add authentication first.
   * Unless `allowedHosts` is given, this name is allowed in `Host` beside the loopback names. Default: `127.0.0.1`.
   */
  host?: string;
}

/** A server that listens. */
export interface Serving {
  /** Where clients connect: the address of the event stream, such as `http://127.0.0.1:3001/sse`. */
  readonly url: string;
  /** Ends all sessions and their sockets at once, and closes the port. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Serves an MCP server over HTTP+SSE with a Fastify of its own.
 *
 * ```ts
 * const { url, close } = await serve(() => createMyServer(), { port: 3001 });
 * ```
 *
 * @throws TypeError when an option is wrong; the system's error if the port is not available.
 */
export async function serve(
  createServer: ServerFactory,
  options: ServeOptions = {},
): Promise<Serving> {
  const { port = 0, host = '127.0.0.1', ...rest } = options;
  const app = fastify({ forceCloseConnections: true, requestTimeout: REQUEST_TIMEOUT_MS });
  const close = async (): Promise<void> => {
    await app.close();
  };
  try {
    await app.register(mcpPlugin, { ...hostsFor(host), ...rest, createServer });
    await app.listen({ port, host });
  } catch (error) {
    await close();
    throw error;
  }
  const address = app.server.address() as AddressInfo;
  const url = `http://${reachable(host)}:${address.port}/sse`;
  return { url, close, [Symbol.asyncDispose]: close };
}

/** The name by which this machine reaches what listens on `host`. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return isIPv6(host) ? `[${host}]` : host;
}

function hostsFor(host: string): Pick<SseOptions, 'allowedHosts'> {
  const name = reachable(host).toLowerCase();
  return { allowedHosts: [...new Set(['127.0.0.1', 'localhost', '[::1]', name])] };
}
