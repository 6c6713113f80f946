import type { Cluster } from '@longwire/server';
import { SealedNode } from './sealed-node.js';
import { SessionSeal } from './session-seal.js';

/** Options of {@link sealed}. */
export interface SealedOptions {
  /**
   * How long a session may be used after it was opened, in milliseconds. Its client then gets 404, and opens a
   * new one. Without a store nothing else ends a session on all nodes. Default: 86 400 000 (24 hours).
   */
  readonly lifetimeMs?: number;
}

const KEY_BYTES = 32;
const LIFETIME_MS = 24 * 60 * 60_000;

/**
 * Many nodes without a store, for servers whose sessions hold nothing but their `initialize`: the option
 * `cluster` of the server kit. The id of a session is the session, sealed (AES-256-GCM): every node with the
 * key makes its server from it.
 *
 * What needs two requests on one node is refused: HTTP+SSE and tool-events, streams without a request,
 * resuming, questions of the server to its client, subscriptions, log levels, tasks. Limits are a node's.
 * A cancellation and a DELETE hold on the node that they reach.
 *
 * @param keys secrets of 32 bytes or more, as such or in base64, the same for all nodes. The first one seals,
 * all of them open: to change the key, give all nodes the new one behind the old one, then in front of it, and
 * after `lifetimeMs` alone.
 * @throws TypeError for a wrong key or option.
 */
export function sealed(
  keys: string | Uint8Array | readonly (string | Uint8Array)[],
  { lifetimeMs = LIFETIME_MS, ...rest }: SealedOptions = {},
): Cluster {
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) {
    throw new TypeError(`sealed: there is no option ${unknown}; there is lifetimeMs`);
  }
  if (typeof lifetimeMs !== 'number' || !(lifetimeMs > 0)) {
    throw new TypeError('sealed: lifetimeMs must be a number of milliseconds, above 0');
  }
  const given = keysOf(keys);
  return {
    join: async ({ mount, eventLog }) =>
      new SealedNode(new SessionSeal({ keys: given, mount, lifetimeMs }), {
        keys: given,
        eventLog,
      }),
  };
}

function keysOf(keys: Parameters<typeof sealed>[0]): Uint8Array[] {
  const list = Array.isArray(keys) ? keys : [keys];
  if (list.length === 0) throw new TypeError('sealed: give a key or more');
  return list.map((key: unknown, index) => {
    const bytes = typeof key === 'string' ? Buffer.from(key, 'base64') : key;
    if (!(bytes instanceof Uint8Array) || bytes.length < KEY_BYTES) {
      throw new TypeError(
        `sealed: keys[${index}] must be ${KEY_BYTES} bytes or more, as such or in base64`,
      );
    }
    return bytes;
  });
}
