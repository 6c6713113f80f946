import { place } from './place.js';

/** Of an address that a server names so much is told. */
const MAX_SHOWN = 200;

/** Whether a URL is one of HTTP. */
function isHttp({ protocol }: URL): boolean {
  return protocol === 'http:' || protocol === 'https:';
}

/**
 * Whether two URLs are of one origin, so that what goes to one may go to the other. A URL of
 * another scheme than http and https has no origin here: the `origin` of `blob:http://host/…` is
 * `http://host`, and yet that is no place of the host's.
 */
export function isSameOrigin(url: URL, other: URL): boolean {
  return isHttp(url) && url.protocol === other.protocol && url.host === other.host;
}

/**
 * The URL that a server names, relative to where it was asked; `undefined` if it is none.
 *
 * Where a proxy ends the TLS, the server behind it often takes itself for one of plain http, and
 * says so. At the host that was asked by https that is read as https: it is the same place, and
 * nothing goes out in clear.
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
export function shownPlace(url: URL): string {
  const text = isHttp(url) ? place(url) : `a ${url.protocol} URL`;
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

/**
 * What to do about an address of another origin, which the error has told. Never: to use plain http
 * where there was https. Nothing of the address is repeated that a server may have made of a secret.
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
