import { callbackify } from 'node:util';
import type { Agent, buildConnector, Dispatcher } from 'undici';
import type { Network } from './network.js';
import { bareHost, type Proxy, type ProxyRules } from './proxy.js';
import { proxyUnreached, proxyUnusable } from './proxy-error.js';
import { networkAdvice, networkReason } from './network-error.js';
import { markTunnel, openTunnel } from './tunnel.js';
import { createConnector } from './undici.js';

/** How much of the time to connect a proxy has: the rest is for saying so. */
const PROXY_SHARE = 0.8;
const DEFAULT_CONNECT_MS = 10_000;

const tunnelTo = callbackify(openTunnel);

/**
 * Opens sockets as `direct` does, and those for servers of https that have a proxy through it, until
 * `signal` is aborted. undici's own `ProxyAgent` says of a tunnel that fails only that it does.
 */
export function connectThrough(
  { trust, proxies }: Network & { proxies: ProxyRules },
  {
    direct,
    connectMs = DEFAULT_CONNECT_MS,
    signal,
  }: {
    direct: buildConnector.connector;
    connectMs?: number | undefined;
    signal?: AbortSignal | undefined;
  },
): buildConnector.connector {
  const timeoutMs = connectMs * PROXY_SHARE;
  const toProxy = createConnector({ timeout: timeoutMs, ...trust });
  return (target, callback) => {
    const { protocol, hostname, port } = target;
    const origin = new URL(`${protocol}//${target.host ?? hostname}`);
    const forwarder = proxies.proxyAt(origin);
    if (forwarder !== undefined) {
      toProxy(target, (...[error, socket]) => {
        if (error === null) callback(null, socket);
        else callback(unreached(forwarder, error), null);
      });
      return;
    }
    const proxy = proxies.proxyFor(origin);
    if (proxy === undefined) {
      direct(target, callback);
      return;
    }
    if ('unusable' in proxy) {
      callback(proxyUnusable(proxy), null);
      return;
    }
    const host = { hostname: bareHost(hostname), port: Number(port || 443) };
    const how = { tls: trust, timeoutMs, ...(signal !== undefined && { signal }) };
    tunnelTo(proxy, host, how, (failure, httpSocket) => {
      if (failure !== null) {
        callback(failure, null);
        return;
      }
      direct({ ...target, httpSocket }, (...[error, socket]) => {
        if (error === null) {
          markTunnel(socket);
          callback(null, socket);
        } else {
          httpSocket.destroy();
          callback(error, null);
        }
      });
    });
  };
}

/**
 * The same dispatcher; requests by plain http that have a proxy are sent to the proxy, with the whole
 * URL (https://www.rfc-editor.org/rfc/rfc9112#name-absolute-form). Many proxies open tunnels to port 443
 * alone.
 */
export function forwarding(agent: Agent, { proxies }: Network): Dispatcher {
  if (proxies === undefined) return agent;
  return agent.compose((dispatch) => (options, handler) => {
    const url = new URL(String(options.origin));
    const proxy = url.protocol === 'http:' ? proxies.proxyFor(url) : undefined;
    if (proxy === undefined) return dispatch(options, handler);
    if ('unusable' in proxy) throw proxyUnusable(proxy);
    const headers = [
      ...headerPairs(options.headers),
      'host',
      url.host,
      ...(proxy.authorization === undefined ? [] : ['proxy-authorization', proxy.authorization]),
    ];
    const path = `${url.origin}${options.path}`;
    return dispatch({ ...options, origin: proxy.url.origin, path, headers }, handler);
  });
}

function unreached(proxy: Proxy, cause: Error): Error {
  const reason = networkReason(cause, proxy.url);
  return proxyUnreached(proxy, { reason, advice: networkAdvice(cause, proxy.url), cause });
}

/** Names and values in turn, in each of the forms that undici takes. */
function headerPairs(headers: Dispatcher.DispatchOptions['headers']): string[] {
  if (headers === undefined || headers === null) return [];
  if (Array.isArray(headers)) return headers;
  const entries: Iterable<[string, string | readonly string[] | undefined]> =
    Symbol.iterator in headers ? headers : Object.entries(headers);
  return [...entries].flatMap(([name, value]) =>
    [value ?? []].flat().flatMap((each) => [name, each]),
  );
}
