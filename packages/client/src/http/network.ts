import type { ProxyOption, ProxyVariables, TlsOptions } from '../options/network-options.js';
import { ProxyRules } from './proxy.js';
import { resolveTls, trustOnly, type TlsSettings } from './tls-options.js';

/** How servers are reached: made once of the options of a client, and shared by all its sessions. */
export interface Network {
  /** `undefined`: no proxy is used. */
  readonly proxies: ProxyRules | undefined;
  /** For the server itself. */
  readonly tls: TlsSettings;
  /** For proxies and for servers that the server names: nothing that identifies the client. */
  readonly trust: TlsSettings;
}

/** Without a proxy, and with the certificates that Node trusts. */
export const PLAIN_NETWORK: Network = { proxies: undefined, tls: {}, trust: {} };

/** The options that say how servers are reached. */
export interface NetworkOptions {
  proxy?: ProxyOption | undefined;
  tls?: TlsOptions | undefined;
}

/**
 * Reads the options. The environment is looked at with `proxy: 'environment'` and in no other case.
 *
 * @throws TypeError that names the option.
 */
export function resolveNetwork(
  { proxy, tls }: NetworkOptions,
  env: ProxyVariables = process.env,
): Network {
  if (proxy === undefined && tls === undefined) return PLAIN_NETWORK;
  return { ...resolvedTls(tls), proxies: ProxyRules.of(proxy, env) };
}

function resolvedTls(tls: TlsOptions | undefined): Pick<Network, 'tls' | 'trust'> {
  if (tls === undefined) return { tls: {}, trust: {} };
  const own = resolveTls(tls);
  const isTrustAlone = tls.cert === undefined && tls.servername === undefined;
  return { tls: own, trust: isTrustAlone ? own : resolveTls(trustOnly(tls)) };
}
