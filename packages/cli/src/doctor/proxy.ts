import {
  openTunnel,
  ProxyError,
  ProxyRules,
  type Network,
  type Proxy,
} from '@longwire/client/internal';
import type { Finding } from './examination.js';
import { findAddress, hostOf, portOf, type LayerLimits } from './name-and-address.js';

/** The way to a server: directly, or through a proxy. */
export interface Way {
  network: Network;
  /** Default: there is none on the way. */
  proxy?: Proxy | undefined;
}

type Env = Readonly<Record<string, string | undefined>>;

/** Whether there is a proxy on the way to a URL, and whether it lets one through. */
export async function findProxy(
  url: URL,
  { network, env, limits }: { network: Network; env: Env; limits: LayerLimits },
): Promise<{ finding: Finding; proxy?: Proxy }> {
  const proxy = network.proxies?.proxyFor(url);
  if (proxy === undefined) return { finding: unused(url, env) };
  const { namedBy } = proxy;
  if ('unusable' in proxy) {
    const { unusable } = proxy;
    const hint = `correct ${namedBy}, or unset it`;
    return { finding: { status: 'failed', detail: `${namedBy}: ${unusable}`, hint } };
  }
  const by = namedBy === 'proxy' ? '' : `, which ${namedBy} names`;
  const facts = { proxy: proxy.url.origin, ...(by !== '' && { variable: namedBy }) };
  const shown = `${proxy.url.origin}${by},`;
  if (url.protocol === 'http:') {
    const finding = await findAddress(proxy.url, limits);
    if (finding.status === 'failed') {
      const detail = `the proxy ${shown} cannot be used: ${finding.detail}`;
      const hint = `start it, or correct ${namedBy === 'proxy' ? 'its address' : namedBy}`;
      return { finding: { ...finding, detail, facts, hint } };
    }
    return { finding: { detail: `${shown} takes connections`, facts }, proxy };
  }
  const host = { hostname: hostOf(url), port: portOf(url) };
  try {
    const { signal, timeoutMs } = limits;
    const socket = await openTunnel(proxy, host, { tls: network.trust, signal, timeoutMs });
    socket.destroy();
    return {
      finding: { detail: `${shown} opens a way to ${host.hostname}:${host.port}`, facts },
      proxy,
    };
  } catch (error) {
    if (!(error instanceof ProxyError)) throw error;
    const { message: detail, hint, status } = error;
    const said = status === undefined ? facts : { ...facts, httpStatus: status };
    return { finding: { status: 'failed', detail, hint, facts: said } };
  }
}

/** The name and the address of a server behind a proxy. */
export function leftToProxy({ hostname }: URL): Finding {
  return { status: 'skipped', detail: `the proxy looks ${hostname} up, and connects to it` };
}

/** Why no proxy is used. */
function unused(url: URL, env: Env): Finding {
  const { NO_PROXY: _left, no_proxy: _out, ...named } = env;
  // A server elsewhere, so that this machine is told apart from what NO_PROXY leaves out.
  const elsewhere = new URL(`${url.protocol}//elsewhere.invalid`);
  const proxy = ProxyRules.of(named)?.proxyFor(elsewhere);
  const all = env['ALL_PROXY'] ?? env['all_proxy'] ?? '';
  if (proxy === undefined || 'unusable' in proxy) {
    const aside = all === '' ? '' : '; ALL_PROXY is not looked at';
    return { detail: `none is named by the environment${aside}` };
  }
  const { namedBy: variable } = proxy;
  const facts = { variable, proxy: proxy.url.host };
  const isNamed = ProxyRules.of(env)?.proxyFor(url) !== undefined;
  const isOwn = ProxyRules.of(named)?.proxyFor(url) === undefined;
  const why = isNamed
    ? 'it is not used here'
    : isOwn
      ? 'this machine is reached without it'
      : `NO_PROXY leaves ${url.hostname} out`;
  return { detail: `${variable} names ${proxy.url.host}, and ${why}`, facts };
}
