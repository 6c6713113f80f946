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
}: {
  given: DispatcherLike | undefined;
  network: Network;
  connectMs: number;
}): Dispatchers {
  if (given !== undefined) {
    const dispatcher = given as Dispatcher;
    return { requests: dispatcher, probes: dispatcher, close: async () => {} };
  }
  const connect = { timeout: connectMs, ...network.tls };
  const requests = agentOf(network, connect, { connections: MAX_CONNECTIONS });
  const probes = agentOf(network, connect, {
    connections: 1,
    keepAliveTimeout: PROBE_KEEP_ALIVE_MS,
    keepAliveMaxTimeout: PROBE_KEEP_ALIVE_MS,
  });
  return {
    requests: forwarding(requests, network),
    probes: forwarding(probes, network),
    close: async () => void (await Promise.all([requests.destroy(), probes.destroy()])),
  };
}

/**
 * Makes a dispatcher for a `fetch` of the same network, once undici is loaded. `connect` says how sockets
 * are opened; with a proxy, those to the server itself are the proxy's.
 */
export function createFetchDispatcher(
  network: Network,
  connect: buildConnector.BuildOptions,
): Dispatcher {
  return forwarding(agentOf(network, connect, {}), network);
}

function agentOf(
  network: Network,
  connect: buildConnector.BuildOptions,
  options: Agent.Options,
): Agent {
  const { proxies } = network;
  const direct = endingByAlert(createConnector(connect));
  return createAgent({
    ...options,
    connect:
      proxies === undefined
        ? direct
        : connectThrough({ ...network, proxies }, { direct, connectMs: connect.timeout }),
  });
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
