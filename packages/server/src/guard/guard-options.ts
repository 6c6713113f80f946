import { parseHostRule, parseOriginRule, type HostRule, type OriginRule } from './allowed-hosts.js';

/** Which requests are let in by their `Host` and `Origin`. */
export interface GuardOptions {
  /**
   * The names that a request may have in `Host`. Others are answered with 403.
   *
   * - `name` for any port;
   * - `name:port` for one port; the protocol's default, 80 or 443, matches a `Host` without a port;
   * - `*` for any name, only if something in front has checked it.
   *
   * The attack: a web page whose name resolves to 127.0.0.1 (DNS rebinding) can read from and write to
   * every server there, but its requests still have the page's own name in `Host`.
   *
   * `X-Forwarded-Host` is checked by the same list, where Fastify's `trustProxy` names the sender. It
   * never replaces `Host`: such a page may send it, and its requests come from the machine on which
   * a local proxy runs, too. Behind a proxy that rewrites `Host`, list both names, or let it pass `Host` on.
   *
   * Default: `127.0.0.1`, `localhost` and `[::1]`. A list replaces the default.
   */
  allowedHosts?: readonly string[];
  /**
   * The origins of web pages that may call: `https://name:port` for exactly one, `name` or
   * `name:port` for any scheme, `*` for any. Others are answered with 403. A request without an
   * `Origin` header does not come from a web page and is allowed.
   *
   * Default: the names in `allowedHosts`, except `*`.
   */
  allowedOrigins?: readonly string[];
}

/** {@link GuardOptions}, checked and filled in. */
export interface ResolvedGuardOptions {
  readonly allowedHosts: readonly HostRule[];
  readonly allowedOrigins: readonly OriginRule[];
}

const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'];

/**
 * Checks the options and fills in the defaults.
 *
 * @throws TypeError that names the wrong option.
 */
export function resolveGuardOptions(options: GuardOptions): ResolvedGuardOptions {
  const { allowedHosts = LOOPBACK } = options;
  const hosts = names('allowedHosts', allowedHosts);
  const { allowedOrigins = hosts.filter((host) => host !== '*') } = options;
  const origins = names('allowedOrigins', allowedOrigins);
  return {
    allowedHosts: hosts.map((text) => parseHostRule(text)),
    allowedOrigins: origins.map((text) => parseOriginRule(text)),
  };
}

function names(name: string, value: readonly string[]): readonly string[] {
  if (!Array.isArray(value) || value.some((item) => typeof item !== 'string')) {
    throw new TypeError(`${name} must be an array of strings`);
  }
  return value;
}
