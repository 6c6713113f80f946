import type { Dispatcher } from 'undici';
import { createFetchDispatcher } from './dispatchers.js';
import { resolveNetwork, type NetworkOptions } from './network.js';
import { loadUndici } from './undici.js';

/**
 * The global `fetch`, over a network of a client's options: for what is no MCP server.
 *
 * @throws TypeError that names the option.
 */
export function networkFetch(options: NetworkOptions): typeof fetch {
  const network = resolveNetwork(options);
  let dispatcher: Dispatcher | undefined;
  return async (input, init) => {
    await loadUndici();
    dispatcher ??= createFetchDispatcher(network, network.tls);
    const over: object = { ...init, dispatcher };
    return await fetch(input, over);
  };
}
