import { subscribe } from 'node:diagnostics_channel';
import { lookup as resolve } from 'node:dns';
import { lookup } from 'node:dns/promises';
import type { LookupFunction, Socket } from 'node:net';
import type { FetchLike } from '@modelcontextprotocol/client';
import { Agent, getGlobalDispatcher, type Dispatcher } from 'undici';
import {
  mayName,
  reachOf,
  reachOfHost,
  RefusedAddressError,
  widest,
  type Reach,
} from './addresses.js';

/** Origins of which it is remembered where they were reached. */
const MAX_SEEN = 1000;

/**
 * A `fetch` for what an MCP server names. One that is reached from anywhere cannot have addresses
 * asked that only this machine reaches. Names are looked at when they are connected to, so that one
 * that resolves to another address the second time is refused, too. Of a `fetch` of the program's
 * own, and of a global dispatcher of the program's, only the URL can be looked at.
 *
 * Default of `given`: the global `fetch`.
 *
 * @throws RefusedAddressError; as cause of what `fetch` throws if a name was resolved.
 */
export function guardedFetch(given: FetchLike | undefined, server: URL): FetchLike {
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
    if (isOfProgram(getGlobalDispatcher())) return fetch(url, init);
    const guarded: object = { ...init, dispatcher: agentOf(own) };
    return fetch(url, guarded);
  };
}

/** A connector's `lookup` that refuses names by what they resolve to. */
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

const standing = getGlobalDispatcher();

/** What a program has put in the place of undici's own (for a proxy, a certificate) is left there. */
function isOfProgram(dispatcher: Dispatcher): boolean {
  return dispatcher !== standing || dispatcher.constructor.name !== 'Agent';
}

const agents = new Map<Reach, Agent>();

function agentOf(server: Reach): Agent {
  let agent = agents.get(server);
  if (agent === undefined) {
    agent = new Agent({ connect: { lookup: guardedLookup(server) } });
    agents.set(server, agent);
  }
  return agent;
}

/**
 * Where connections to an origin have really led. What its name resolves to now may be made up for
 * who asks now.
 */
const seen = new Map<string, Reach>();

interface Connected {
  connectParams: { host: string; protocol: string; port: string };
  socket: Socket;
}

subscribe('undici:client:connected', (message) => {
  const { connectParams, socket } = message as Connected;
  const { protocol, host, port } = connectParams;
  const { remoteAddress, remotePort } = socket;
  // Another port is that of a proxy.
  const expected = Number(port) || (protocol === 'https:' ? 443 : 80);
  if (remoteAddress === undefined || remotePort !== expected) return;
  const origin = `${protocol}//${host}`;
  const before = seen.get(origin);
  seen.set(origin, widest([reachOf(remoteAddress), ...(before === undefined ? [] : [before])]));
  if (seen.size > MAX_SEEN) for (const oldest of seen.keys()) return void seen.delete(oldest);
});

async function reachOfServer(server: URL): Promise<Reach> {
  const known = reachOfHost(server) ?? seen.get(server.origin);
  if (known !== undefined) return known;
  try {
    const addresses = await lookup(server.hostname, { all: true });
    return widest(addresses.map(({ address }) => reachOf(address)));
  } catch {
    return 'public';
  }
}
