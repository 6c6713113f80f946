import { setMaxListeners } from 'node:events';
import type { Agent, buildConnector, Dispatcher } from 'undici';
import type { DispatcherLike } from '../options/channel-options.js';
import type { Network } from './network.js';
import { connectThrough, forwarding } from './proxied.js';
import { alertOf } from './tls-error.js';
import { createAgent, createConnector } from './undici.js';

/** One connection holds the stream; requests over this limit wait, so that descriptors do not run out. */
const MAX_CONNECTIONS = 256;

/** How long the connection for probes may be idle. */
const PROBE_KEEP_ALIVE_MS = 86_400_000;

/** What sends the requests of a session. */
export interface Dispatchers {
  readonly requests: Dispatcher;
  /**
   * One connection for probes, as old as the first probe. A middlebox that drops connections
   * silently drops all that are open: if this one is dead, so are the others.
   */
  readonly probes: Dispatcher;
  /** Closes the sockets, except those of the program's dispatcher; fulfilled when none is left. */
  close(): Promise<void>;
}

/**
 * Makes the dispatchers of a client, once undici is loaded: the only place where a client's sockets are
 * opened. `given` is the program's own dispatcher, which is used for everything.
 */
export function createDispatchers({
  given,
  network,
  connectMs,
  shared,
}: {
  given: DispatcherLike | undefined;
  network: Network;
  connectMs: number;
  /** Those that the sessions of a client's principals share. Default: the session has its own. */
  shared?: SharedDispatchers | undefined;
}): Dispatchers {
  if (given !== undefined) {
    const dispatcher = given as Dispatcher;
    return { requests: dispatcher, probes: dispatcher, close: async () => {} };
  }
  if (shared !== undefined) return shared.borrow({ network, connectMs });
  return openDispatchers({ network, connectMs }, { requests: MAX_CONNECTIONS, probes: 1 });
}

/** How many sockets there may be at a time. */
interface MaxConnections {
  requests: number;
  probes: number;
}

function openDispatchers(
  { network, connectMs }: { network: Network; connectMs: number },
  max: MaxConnections,
): Dispatchers {
  const closing = new AbortController();
  const connect = connecting(network, { timeout: connectMs, ...network.tls }, closing.signal);
  const requests = createAgent({
    connect,
    connections: max.requests === Infinity ? null : max.requests,
  });
  const probes = createAgent({
    connect,
    connections: max.probes,
    keepAliveTimeout: PROBE_KEEP_ALIVE_MS,
    keepAliveMaxTimeout: PROBE_KEEP_ALIVE_MS,
  });
  return {
    requests: forwarding(requests, network),
    probes: forwarding(probes, network),
    close: async () => {
      closing.abort();
      await Promise.all([requests.destroy(), probes.destroy()]);
    },
  };
}

/** How many sockets all principals of a client have for probes. */
const MAX_SHARED_PROBES = 64;

/**
 * The sockets of all principals of a client: a request goes by any that is free, whoever it is for. They
 * are opened for the first session, and closed with the last.
 */
export class SharedDispatchers {
  readonly #max: MaxConnections;
  #open: Dispatchers | undefined;
  #borrowed = 0;

  /** So many sessions may have a stream, and another for what the server says unasked. */
  constructor(maxSessions: number) {
    this.#max = { requests: MAX_CONNECTIONS + 2 * maxSessions, probes: MAX_SHARED_PROBES };
  }

  /** To be closed by each session. */
  borrow(how: { network: Network; connectMs: number }): Dispatchers {
    this.#open ??= openDispatchers(how, this.#max);
    this.#borrowed++;
    const { requests, probes } = this.#open;
    return { requests, probes, close: () => this.#return() };
  }

  async #return(): Promise<void> {
    if (--this.#borrowed > 0) return;
    const last = this.#open;
    this.#open = undefined;
    await last?.close();
  }
}

/**
 * Makes a dispatcher for a `fetch` of the same network, once undici is loaded. `connect` says how sockets
 * are opened; with a proxy, those to the server itself are the proxy's.
 */
export function createFetchDispatcher(
  network: Network,
  connect: buildConnector.BuildOptions,
): Dispatcher {
  return forwarding(createAgent({ connect: connecting(network, connect) }), network);
}

/** How an agent opens its sockets, until `signal` is aborted. */
function connecting(
  network: Network,
  options: buildConnector.BuildOptions,
  signal?: AbortSignal,
): NonNullable<Agent.Options['connect']> {
  const { proxies } = network;
  const direct = endingByAlert(createConnector(options));
  if (proxies === undefined) return direct;
  // Each attempt to open a tunnel listens to it.
  if (signal !== undefined) setMaxListeners(0, signal);
  const { timeout: connectMs } = options;
  return connectThrough({ ...network, proxies }, { direct, connectMs, signal });
}

/**
 * A server may refuse the certificate of the client after the handshake, by an alert, and end the
 * connection. undici would report the end alone: the socket ends by the alert instead.
 */
function endingByAlert(connector: buildConnector.connector): buildConnector.connector {
  return (target, callback) =>
    connector(target, (...result) => {
      const [failure, socket] = result;
      if (failure === null && target.protocol === 'https:') {
        socket.on('error', (error: NodeJS.ErrnoException) => {
          if (alertOf(error.code) !== undefined) socket.destroy(error);
        });
      }
      callback(...result);
    });
}
