import type { Target } from '../dial/target.js';

/** A server as telemetry names it, the same from the first request to the last. */
export interface Peer {
  /** The name that the program gave, else the host, or the name of a command. */
  readonly name: string;
  /** Of its URL; `undefined` for a server without one. */
  readonly origin: string | undefined;
}

/** The servers of clients and pools. */
const peers = new WeakMap<object, Peer>();

/** Says at which target a client or a pool finds its server, and what the program calls it. */
export function setPeer(source: object, target: Target, name: string | undefined): void {
  const origin = target.kind === 'url' ? target.url.origin : undefined;
  peers.set(source, { name: name ?? target.name, origin });
}

/** The server of a client or a pool. What the server calls itself is not known from the beginning. */
export function peerOf(source: { readonly name: string }): Peer {
  return peers.get(source) ?? { name: source.name, origin: undefined };
}
