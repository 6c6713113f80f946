/** A name that `Host` may have. Without a port, every port matches. */
export type HostRule = '*' | { readonly hostname: string; readonly port: string | undefined };

/** An origin that may call. Without a scheme, every scheme matches. */
export type OriginRule =
  | '*'
  | {
      readonly scheme: string | undefined;
      readonly hostname: string;
      readonly port: string | undefined;
    };

interface Authority {
  hostname: string;
  port: string | undefined;
}

/** A host name, an IPv4 or a bracketed IPv6 address, and optionally a port. */
const AUTHORITY = /^(\[[0-9a-f:.]+\]|[^\s:/?#@[\]\\,]+)(?::(\d{1,5}))?$/i;
const ORIGIN = /^([a-z][a-z0-9+.-]*):\/\/(.+)$/i;
const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: '80', https: '443' };

/**
 * Reads one entry of `allowedHosts`.
 *
 * @throws TypeError when it is neither `*` nor `name` nor `name:port`.
 */
export function parseHostRule(text: string): HostRule {
  if (text === '*') return '*';
  const authority = parseAuthority(text);
  if (authority && !isPattern(authority)) return authority;
  throw new TypeError(`allowedHosts: "${text}" is neither a name nor name:port nor *`);
}

/**
 * Reads one entry of `allowedOrigins`.
 *
 * @throws TypeError when it is neither `*` nor an origin nor a name.
 */
export function parseOriginRule(text: string): OriginRule {
  if (text === '*') return '*';
  const origin = parseOrigin(text);
  if (origin && !isPattern(origin)) return origin;
  const authority = parseAuthority(text);
  if (authority && !isPattern(authority)) return { scheme: undefined, ...authority };
  throw new TypeError(`allowedOrigins: "${text}" is neither an origin nor a name nor *`);
}

/**
 * Whether a request with this `Host` header is allowed. Without a port in it, the port is the default
 * of the protocol, `http` or `https`. Without the header, the request is not allowed.
 */
export function isAllowedHost(
  header: string | undefined,
  protocol: string,
  rules: readonly HostRule[],
): boolean {
  const host = header === undefined ? undefined : parseAuthority(header);
  const port = host?.port ?? DEFAULT_PORTS[protocol];
  return rules.some(
    (rule) =>
      rule === '*' ||
      (host !== undefined &&
        rule.hostname === host.hostname &&
        (rule.port === undefined || rule.port === port)),
  );
}

/** Whether a page of this `Origin` may call. Without the header, the caller is not a web page. */
export function isAllowedOrigin(header: string | undefined, rules: readonly OriginRule[]): boolean {
  if (header === undefined) return true;
  const origin = parseOrigin(header);
  return rules.some((rule) => {
    if (rule === '*') return true;
    if (!origin || rule.hostname !== origin.hostname) return false;
    if (rule.scheme === undefined) return rule.port === undefined || rule.port === origin.port;
    return rule.scheme === origin.scheme && rule.port === origin.port;
  });
}

/** Whether a rule is meant for several names, which no rule but `*` is: it would match none. */
function isPattern({ hostname }: Authority): boolean {
  return hostname.includes('*');
}

function parseAuthority(text: string): Authority | undefined {
  const match = AUTHORITY.exec(text);
  return match?.[1] === undefined
    ? undefined
    : { hostname: match[1].toLowerCase(), port: match[2] };
}

function parseOrigin(text: string): (Authority & { scheme: string }) | undefined {
  const match = ORIGIN.exec(text);
  const authority = match?.[2] === undefined ? undefined : parseAuthority(match[2]);
  if (!match?.[1] || !authority) return undefined;
  const scheme = match[1].toLowerCase();
  return { scheme, hostname: authority.hostname, port: authority.port ?? DEFAULT_PORTS[scheme] };
}
