import { subscribe } from 'node:diagnostics_channel';
import { lookup as resolve } from 'node:dns';
import { lookup } from 'node:dns/promises';
import type { LookupFunction, Socket } from 'node:net';
import type { FetchLike } from '@modelcontextprotocol/client';
import { getGlobalDispatcher, type Dispatcher } from 'undici';
import { createFetchDispatcher } from '../http/dispatchers.js';
import { PLAIN_NETWORK, type Network } from '../http/network.js';
import { isSameOrigin } from '../http/origin.js';
import type { TlsSettings } from '../http/tls-options.js';
import { isTunnel } from '../http/tunnel.js';
import { loadUndici } from '../http/undici.js';
import {
  mayName,
  reachOf,
  reachOfHost,
  RefusedAddressError,
  widest,
  type Reach,
} from './addresses.js';

/** How many origins are remembered with their reach. */
const MAX_ORIGINS = 1000;

/**
 * A `fetch` for URLs that an MCP server names. A public server cannot make it send requests to private
 * addresses. Names are checked when the connection is made, so that a name that resolves to another
 * address the second time is refused, too. With a program's own `fetch` or global dispatcher, only the
 * URL can be checked; and with a proxy, which resolves names itself. The certificate of the client is shown
 * to the server's own origin alone.
 *
 * Default of `given`: the global `fetch`, over `network`.
 *
 * @throws RefusedAddressError; as cause of what `fetch` throws if a name was resolved.
 */
export function guardedFetch(
  given: FetchLike | undefined,
  server: URL,
  network: Network = PLAIN_NETWORK,
): FetchLike {
  let reach: Promise<Reach> | undefined;
  return async (url, init) => {
    reach ??= reachOfServer(server);
    const own = await reach;
    const target = new URL(url);
    const named = reachOfHost(target);
    if (named !== undefined && !mayName(own, named)) {
      throw new RefusedAddressError(target.host, named);
    }
    if (given !== undefined) return given(url, init);
    if (network === PLAIN_NETWORK && isOfProgram(getGlobalDispatcher())) return fetch(url, init);
    return await fetchOver(network, { server, reach: own }, url, init);
  };
}

/** A `fetch` over a network for which no address is refused. */
export function openFetch(server: URL, network: Network = PLAIN_NETWORK): FetchLike {
  if (network === PLAIN_NETWORK) return fetch;
  return (url, init) => fetchOver(network, { server, reach: undefined }, url, init);
}

async function fetchOver(
  network: Network,
  { server, reach }: { server: URL; reach: Reach | undefined },
  url: string | URL,
  init: RequestInit | undefined,
): Promise<Response> {
  await loadUndici();
  const tls = isSameOrigin(new URL(url), server) ? network.tls : network.trust;
  const guarded: object = { ...init, dispatcher: dispatcherOf(network, tls, reach) };
  return await fetch(url, guarded);
}

/** A `lookup` that refuses names by the addresses that they resolve to. */
export function guardedLookup(server: Reach, by: typeof resolve = resolve): LookupFunction {
  return (hostname, options, callback) => {
    by(hostname, { ...options, all: true }, (error, addresses) => {
      const reaches = error === null ? addresses.map(({ address }) => reachOf(address)) : [];
      const refused = reaches.find((reach) => !mayName(server, reach));
      const failure = refused === undefined ? error : new RefusedAddressError(hostname, refused);
      const [first] = addresses;
      if (failure !== null || first === undefined) callback(failure, []);
      else if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

const initialDispatcher = getGlobalDispatcher();

/** A program's own dispatcher (for a proxy, a certificate) is used as it is. */
function isOfProgram(dispatcher: Dispatcher): boolean {
  return dispatcher !== initialDispatcher || dispatcher.constructor.name !== 'Agent';
}

/** By the settings of TLS, which belong to one network, and by reach. */
const dispatchers = new WeakMap<TlsSettings, Map<Reach | undefined, Dispatcher>>();

function dispatcherOf(network: Network, tls: TlsSettings, reach: Reach | undefined): Dispatcher {
  const known = dispatchers.get(tls) ?? new Map<Reach | undefined, Dispatcher>();
  dispatchers.set(tls, known);
  let dispatcher = known.get(reach);
  if (dispatcher === undefined) {
    const lookup = reach === undefined ? {} : { lookup: guardedLookup(reach) };
    dispatcher = createFetchDispatcher(network, { ...tls, ...lookup });
    known.set(reach, dispatcher);
  }
  return dispatcher;
}

/** The widest address of the connections to an origin. Its name may resolve to another one now. */
const reached = new Map<string, Reach>();

interface Connected {
  connectParams: { host: string; protocol: string; port: string };
  socket: Socket;
}

subscribe('undici:client:connected', (message) => {
  const { connectParams, socket } = message as Connected;
  const { protocol, host, port } = connectParams;
  const { remoteAddress, remotePort } = socket;
  // A connection to another port goes to a proxy, as does a tunnel.
  const expected = Number(port) || (protocol === 'https:' ? 443 : 80);
  if (isTunnel(socket) || remoteAddress === undefined || remotePort !== expected) return;
  const origin = `${protocol}//${host}`;
  const before = reached.get(origin);
  reached.set(origin, widest([reachOf(remoteAddress), ...(before === undefined ? [] : [before])]));
  if (reached.size > MAX_ORIGINS)
    for (const oldest of reached.keys()) return void reached.delete(oldest);
});

async function reachOfServer(server: URL): Promise<Reach> {
  const known = reachOfHost(server) ?? reached.get(server.origin);
  if (known !== undefined) return known;
  try {
    const addresses = await lookup(server.hostname, { all: true });
    return widest(addresses.map(({ address }) => reachOf(address)));
  } catch {
    return 'public';
  }
}
