import type { FastifyBaseLogger } from 'fastify';
import type { IncomingHttpHeaders } from 'node:http';

/**
 * The HTTP request that brought something of a client, as far as it is known where that runs: with a
 * cluster, another node may have received it. A request of Fastify is one.
 */
export interface ClientRequest {
  readonly method: string;
  readonly protocol: string;
  readonly host: string;
  readonly originalUrl: string;
  /** The address of the client, by `trustProxy`. */
  readonly ip: string;
  readonly headers: IncomingHttpHeaders;
  readonly raw: { readonly httpVersion: string };
  /** Its connection; without addresses once that is closed. */
  readonly socket: {
    readonly remoteAddress?: string | undefined;
    readonly remotePort?: number | undefined;
  };
  readonly log: FastifyBaseLogger;
}

/** Names of headers that may hold what lets somebody in. */
const CREDENTIALS = /auth|cookie|key|secret|session|token|referer/i;

/** The headers of a request that may be kept, or leave this node. */
export function withoutCredentials(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !name.startsWith(':') && !CREDENTIALS.test(name)),
  );
}

/** Those of a request that may not. */
export function credentialsOf(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => CREDENTIALS.test(name)));
}
