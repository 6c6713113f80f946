import type { FastifyBaseLogger } from 'fastify';
import type { Server } from 'node:http';
import { checkCount, checkCountOrAny, checkDurationMs } from '../check-options.js';
import { MemoryRateStore } from './memory-rate-store.js';

/** How long clients may take to send, and how many connections there may be. */
export interface ConnectionOptions {
  /**
   * How long the headers of a request may take to arrive, and a new connection to send anything. Later the
   * connection is answered with 408 and closed. Guards against clients that hold connections by sending
   * a byte now and then. Default: 10 000.
   */
  readonly headersTimeoutMs?: number;
  /**
   * How long a whole request may take to arrive, body included; not less than `headersTimeoutMs`. The
   * answer is not limited: event streams last. Default: 30 000.
   */
  readonly requestTimeoutMs?: number;
  /**
   * How long a connection may be idle between two requests. Default: 72 000, because many proxies keep
   * one for 60 s, and one that is closed first fails a request.
   */
  readonly keepAliveTimeoutMs?: number;
  /** Bytes of all headers of a request. More is answered with 431. Default: 16 384 (16 KiB). */
  readonly maxHeaderBytes?: number;
  /**
   * Connections at a time, event streams included; one more is closed at once. The process must be
   * allowed to open as many files (`ulimit -n`). `Infinity` for no limit. Default: 16 384, or four for
   * each session of `maxSessions` where that is more.
   */
  readonly maxConnections?: number;
}

/** The same, checked and filled in. */
export type ResolvedConnectionOptions = Required<ConnectionOptions>;

/**
 * Checks what {@link ConnectionOptions} say.
 *
 * @throws TypeError that names what is wrong.
 */
export function resolveConnections(
  options: ConnectionOptions,
  { maxSessions }: { readonly maxSessions: number },
): ResolvedConnectionOptions {
  const {
    headersTimeoutMs = 10_000,
    requestTimeoutMs = Math.max(30_000, headersTimeoutMs),
    keepAliveTimeoutMs = 72_000,
    maxHeaderBytes = 16_384,
    maxConnections = Math.max(16_384, 4 * maxSessions),
  } = options;
  const resolved = {
    headersTimeoutMs: checkDurationMs('headersTimeoutMs', headersTimeoutMs),
    requestTimeoutMs: checkDurationMs('requestTimeoutMs', requestTimeoutMs),
    keepAliveTimeoutMs: checkDurationMs('keepAliveTimeoutMs', keepAliveTimeoutMs),
    maxHeaderBytes: checkCount('maxHeaderBytes', maxHeaderBytes),
    maxConnections: checkCountOrAny('maxConnections', maxConnections),
  };
  if (resolved.requestTimeoutMs < resolved.headersTimeoutMs) {
    throw new TypeError('requestTimeoutMs must not be less than headersTimeoutMs');
  }
  return resolved;
}

/** What {@link fastifyConnectionOptions} gives to Fastify. */
export interface FastifyConnectionOptions {
  readonly requestTimeout: number;
  readonly keepAliveTimeout: number;
  readonly http: {
    readonly headersTimeout: number;
    readonly requestTimeout: number;
    readonly connectionsCheckingInterval: number;
    readonly maxHeaderSize: number;
  };
}

/** Node looks for connections that are too slow this often, and by default each 30 s alone. */
const CHECK_MS = 2_000;

/** For the application that serves: `fastify({ ...fastifyConnectionOptions(options) })`. */
export function fastifyConnectionOptions(
  options: ResolvedConnectionOptions,
): FastifyConnectionOptions {
  const headersTimeout = orNever(options.headersTimeoutMs);
  const requestTimeout = orNever(options.requestTimeoutMs);
  return {
    requestTimeout,
    keepAliveTimeout: orNever(options.keepAliveTimeoutMs),
    http: {
      headersTimeout,
      requestTimeout,
      connectionsCheckingInterval: Math.max(1, Math.min(CHECK_MS, options.headersTimeoutMs / 2)),
      maxHeaderSize: options.maxHeaderBytes,
    },
  };
}

/** Node takes 0 for no limit. */
function orNever(milliseconds: number): number {
  return milliseconds === Infinity ? 0 : Math.ceil(milliseconds);
}

/** Closes connections beyond `maxConnections` at once, and logs it once a minute. */
export function limitConnections(
  server: Server,
  { maxConnections }: ResolvedConnectionOptions,
  log: FastifyBaseLogger,
): void {
  if (maxConnections === Infinity) return;
  server.maxConnections = maxConnections;
  const lines = new MemoryRateStore({ maxKeys: 1 });
  server.on('drop', (dropped) => {
    if (!lines.take('drop', { max: 1, windowMs: 60_000 }).isAllowed) return;
    log.warn({ address: dropped?.remoteAddress }, 'too many connections (maxConnections)');
  });
}
