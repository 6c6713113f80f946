import { Buffer } from 'node:buffer';
import { BlockList, isIP } from 'node:net';
import type { ProxyOption, ProxyVariables } from '../options/network-options.js';

/** A proxy as it was named. */
export interface Proxy {
  /** Its address without user information. */
  readonly url: URL;
  /** `Proxy-Authorization`, where its address has user information. */
  readonly authorization: string | undefined;
  /** What named it, for messages: a variable, or the option. */
  readonly namedBy: string;
}

/** A name that cannot be used. It is an error of whatever needs the proxy, and of nothing else. */
export interface UnusableProxy {
  readonly unusable: string;
  readonly namedBy: string;
}

/** A part of `NO_PROXY`. */
interface Exception {
  /** A name with all below it, or an address. */
  host: string;
  /** `undefined`: every port. */
  port: number | undefined;
}

/** Whether a host is reached without a proxy. */
type Exceptions = (host: string, port: number) => boolean;

/** Which proxy leads to which server. It is read once; a later change of the environment says nothing. */
export class ProxyRules {
  readonly #http: Proxy | UnusableProxy | undefined;
  readonly #https: Proxy | UnusableProxy | undefined;
  readonly #isLeftOut: Exceptions;

  private constructor(
    by: Record<'http' | 'https', Proxy | UnusableProxy | undefined>,
    isLeftOut: Exceptions,
  ) {
    this.#http = by.http;
    this.#https = by.https;
    this.#isLeftOut = isLeftOut;
  }

  /**
   * The rules of an option; `undefined` where no proxy is used at all. One that is named by its address
   * is used for every server. With `environment`, `HTTP_PROXY` is used for http, `HTTPS_PROXY` for https,
   * and neither for what `NO_PROXY` names, nor for this machine, which no proxy elsewhere can reach.
   *
   * @throws TypeError for an address that is none of a proxy.
   */
  static of(
    option: ProxyOption | undefined,
    env: ProxyVariables = process.env,
  ): ProxyRules | undefined {
    if (option === undefined) return undefined;
    if (option === 'environment') return ProxyRules.#ofVariables(env);
    if (typeof option !== 'object' || option === null) {
      if (typeof option === 'string' && /^[a-z]+$/i.test(option) && option !== 'localhost') {
        throw new TypeError(
          `proxy: "${option}" is neither "environment" nor the address of a proxy, such as http://proxy:3128`,
        );
      }
      const proxy = readProxy(option, 'proxy');
      if ('unusable' in proxy) throw new TypeError(`proxy: ${proxy.unusable}`);
      return new ProxyRules({ http: proxy, https: proxy }, () => false);
    }
    return ProxyRules.#ofVariables(option);
  }

  static #ofVariables(env: ProxyVariables): ProxyRules | undefined {
    // In a CGI script, HTTP_PROXY is what a client sent as a header: https://httpoxy.org
    const isOfClient = env['REQUEST_METHOD'] !== undefined;
    const http = named(env, isOfClient ? ['http_proxy'] : ['http_proxy', 'HTTP_PROXY']);
    const https = named(env, ['https_proxy', 'HTTPS_PROXY']);
    if (http === undefined && https === undefined) return undefined;
    const exceptions = readExceptions(env['no_proxy'] ?? env['NO_PROXY'] ?? '');
    return new ProxyRules(
      { http, https },
      (host, port) => isThisMachine(host) || exceptions(host, port),
    );
  }

  /** The credentials for the proxies. */
  get authorizations(): string[] {
    return [this.#http, this.#https].flatMap((proxy) =>
      proxy !== undefined && 'url' in proxy ? (proxy.authorization ?? []) : [],
    );
  }

  /** The proxy for a server; `undefined` if it is reached without one. */
  proxyFor({ protocol, hostname, port }: URL): Proxy | UnusableProxy | undefined {
    const isHttps = protocol === 'https:';
    const proxy = isHttps ? this.#https : this.#http;
    if (proxy === undefined) return undefined;
    const host = bareHost(hostname);
    return this.#isLeftOut(host, Number(port || (isHttps ? 443 : 80))) ? undefined : proxy;
  }

  /** The proxy for http at an address, to which requests are sent and not through it. */
  proxyAt({ origin }: URL): Proxy | undefined {
    const proxy = this.#http;
    return proxy !== undefined && 'url' in proxy && proxy.url.origin === origin ? proxy : undefined;
  }
}

/** A host in lower case, without the brackets of IPv6 and a dot at its end. */
export function bareHost(hostname: string): string {
  return hostname.toLowerCase().replace(/^\[|\]$|\.$/g, '');
}

/** A proxy in a message. */
export function displayProxy({ url, namedBy }: Proxy): string {
  return namedBy === 'proxy' ? url.origin : `${url.origin} (${namedBy})`;
}

function named(env: ProxyVariables, names: readonly string[]): Proxy | UnusableProxy | undefined {
  for (const name of names) {
    const value = env[name]?.trim();
    // An empty variable in lower case switches off that in upper case, as for curl.
    if (value !== undefined) return value === '' ? undefined : readProxy(value, name);
  }
  return undefined;
}

function readProxy(given: unknown, namedBy: string): Proxy | UnusableProxy {
  if (typeof given !== 'string' || given === '') {
    return {
      namedBy,
      unusable: 'neither "environment", nor the address of a proxy, nor variables',
    };
  }
  const written = given.includes('://') ? given : `http://${given}`;
  // What cannot be read is not shown: it may have a password.
  if (!URL.canParse(written)) return { namedBy, unusable: 'not the address of a proxy' };
  const url = new URL(written);
  const { protocol, username, password } = url;
  if (protocol !== 'http:' && protocol !== 'https:') {
    const scheme = protocol.slice(0, -1);
    const advice = scheme.startsWith('socks')
      ? 'proxies of http:// and https:// are used; some programs offer both'
      : 'write http:// or https://';
    return { namedBy, unusable: `a proxy of ${scheme}:// is not supported: ${advice}` };
  }
  const authorization =
    username === '' && password === '' ? undefined : basicAuthorization(username, password);
  return { url: new URL(url.origin), authorization, namedBy };
}

function basicAuthorization(username: string, password: string): string {
  const text = `${decoded(username)}:${decoded(password)}`;
  return `Basic ${Buffer.from(text).toString('base64')}`;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Reads `NO_PROXY`: names with all below them, addresses, networks, `*`; a port may follow. */
function readExceptions(value: string): Exceptions {
  const networks = new BlockList();
  const exceptions: Exception[] = [];
  for (const entry of value.toLowerCase().split(/[\s,]+/)) {
    if (entry === '') continue;
    if (entry === '*') return () => true;
    const [, network = '', bits = ''] = /^([\da-f.:]+)\/(\d{1,3})$/.exec(entry) ?? [];
    const family = isIP(network);
    if (family !== 0 && Number(bits) <= (family === 4 ? 32 : 128)) {
      networks.addSubnet(network, Number(bits), family === 4 ? 'ipv4' : 'ipv6');
      continue;
    }
    // Without brackets, the end of an IPv6 address is no port.
    const [, host = entry, port] = isIP(entry) === 6 ? [] : (/^(.+):(\d+)$/.exec(entry) ?? []);
    exceptions.push({
      host: bareHost(host).replace(/^\*?\./, ''),
      port: port === undefined ? undefined : Number(port),
    });
  }
  return (host, port) =>
    (isIP(host) !== 0 && networks.check(host, isIP(host) === 4 ? 'ipv4' : 'ipv6')) ||
    exceptions.some(
      (each) =>
        (each.port === undefined || each.port === port) &&
        (host === each.host || host.endsWith(`.${each.host}`)),
    );
}

function isThisMachine(host: string): boolean {
  if (isIP(host) === 4) return host.startsWith('127.');
  return host === '::1' || /(?:^|\.)localhost$/.test(host);
}
