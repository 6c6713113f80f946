import { displayUrl } from './display-url.js';

/** How much of an address that a server names is shown. */
const MAX_SHOWN = 200;

/** Whether a URL is one of HTTP. */
function isHttp({ protocol }: URL): boolean {
  return protocol === 'http:' || protocol === 'https:';
}

/**
 * Whether two URLs have the same origin, so that credentials for one may be sent to the other. URLs of
 * other schemes than http and https have no origin here: the `origin` of `blob:http://host/…` is
 * `http://host`, which is not the host's.
 */
export function isSameOrigin(url: URL, other: URL): boolean {
  return isHttp(url) && url.protocol === other.protocol && url.host === other.host;
}

/**
 * The URL that a server names, relative to the URL of the request; `undefined` if it is none.
 *
 * A server behind a proxy that ends TLS often names itself by http. If the request went to the same
 * host by https, that is read as https: it is the same server, and nothing is sent in clear.
 */
export function namedUrl(text: string, from: URL): URL | undefined {
  if (text === '' || !URL.canParse(text, from.href)) return undefined;
  const url = new URL(text, from);
  const isPlain = url.protocol === 'http:' && from.protocol === 'https:';
  if (!isPlain || url.hostname !== from.hostname) return url;
  if (url.port !== '' && url.port !== (from.port || '443')) return url;
  url.protocol = from.protocol;
  url.port = from.port;
  return url;
}

/** An address that a server named, as it may be shown. */
export function displayLocation(url: URL): string {
  const text = isHttp(url) ? displayUrl(url) : `a ${url.protocol} URL`;
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

/**
 * What to do about an address of another origin, which the error shows. It never advises plain http
 * instead of https, and repeats nothing of the address that may hold a secret.
 */
export function otherOriginAdvice(url: URL, from: URL): string {
  if (!isHttp(url)) return 'ask whoever runs the server: it has to name an http or https address';
  if (url.protocol === 'http:' && from.protocol === 'https:') {
    return (
      'ask whoever runs the server: it has to name its address by https ' +
      '(behind a proxy that ends TLS it must be told so, as by X-Forwarded-Proto)'
    );
  }
  if (url.protocol === 'https:' && from.protocol === 'http:' && url.hostname === from.hostname) {
    return `use https://${url.host}${from.pathname}`;
  }
  return 'connect to that address itself if you trust it';
}
