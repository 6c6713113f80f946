import { parseCookie } from './undici.js';

/** The limits that every browser has at least, for one host and for one cookie. */
const MAX_COOKIES = 50;
const MAX_COOKIE_BYTES = 4096;
/** For all together: servers refuse requests with headers over 8 or 16 KiB. */
const MAX_ALL_BYTES = 8192;

/** What a header may hold, of what undici's parser accepts. */
const SENDABLE = /^[\t\x20-\x7e\x80-\xff]*$/;

const NEGATIVE_AGE = /;\s*max-age\s*=\s*-\d/i;

interface Cookie {
  name: string;
  value: string;
  path: string;
  /** In milliseconds since 1970. */
  expiresAt: number;
}

/**
 * The cookies of one client, in memory. Load balancers use them to send all requests of a session to
 * the same server.
 *
 * A cookie is sent to the origin that set it, and to no other: `Domain` would widen that, and is
 * ignored. `Path`, `Secure`, `Max-Age` and `Expires` are observed.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6265
 */
export class CookieJar {
  readonly #now: () => number;
  /** By origin, then by name and path; the latest one last. */
  readonly #origins = new Map<string, Map<string, Cookie>>();

  /** @param now milliseconds since 1970. */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Whether there are none, as with most servers. */
  get isEmpty(): boolean {
    return this.#origins.size === 0;
  }

  /** Takes the `Set-Cookie` headers of a response. */
  take(url: URL, setCookie: string | string[]): void {
    const cookies = this.#origins.get(url.origin) ?? new Map<string, Cookie>();
    for (const header of [setCookie].flat()) this.#takeOne(url, header, cookies);
    bound(cookies);
    if (cookies.size > 0) this.#origins.set(url.origin, cookies);
    else this.#origins.delete(url.origin);
  }

  /** The `Cookie` header of a request to a URL; `undefined` for none. */
  headerFor(url: URL): string | undefined {
    if (this.isEmpty) return undefined;
    const cookies = this.#origins.get(url.origin);
    if (cookies === undefined) return undefined;
    const now = this.#now();
    const fit: Cookie[] = [];
    for (const [key, cookie] of cookies) {
      if (cookie.expiresAt <= now) cookies.delete(key);
      else if (isBelow(url.pathname, cookie.path)) fit.push(cookie);
    }
    if (fit.length === 0) return undefined;
    // "Cookies with longer paths are listed before cookies with shorter paths."
    fit.sort((one, other) => other.path.length - one.path.length);
    return fit.map(({ name, value }) => `${name}=${value}`).join('; ');
  }

  /** The values of all of them, which must not be shown. */
  *values(): Generator<string> {
    for (const cookies of this.#origins.values()) {
      for (const { value } of cookies.values()) yield value;
    }
  }

  #takeOne(url: URL, header: string, cookies: Map<string, Cookie>): void {
    const parsed = parseCookie(header);
    if (parsed === null) return;
    const { name, value, expires, path, secure: isSecure = false } = parsed;
    if (name === '' || !SENDABLE.test(name + value) || sizeOf(name, value) > MAX_COOKIE_BYTES)
      return;
    if (isSecure && url.protocol !== 'https:') return;
    const where = path?.startsWith('/') === true ? path : directoryOf(url.pathname);
    // undici does not read a negative one, which means the same as 0.
    const maxAge = NEGATIVE_AGE.test(header) ? 0 : parsed.maxAge;
    const expiresAt =
      maxAge !== undefined ? this.#now() + maxAge * 1000 : Number(expires ?? Infinity);
    const key = `${name};${where}`;
    cookies.delete(key);
    // A date that cannot be read counts as none.
    if (expiresAt <= this.#now()) return;
    cookies.set(key, { name, value, path: where, expiresAt: expiresAt || Infinity });
  }
}

/** Drops the oldest ones until the rest is within the limits. */
function bound(cookies: Map<string, Cookie>): void {
  let bytes = 0;
  for (const { name, value } of cookies.values()) bytes += sizeOf(name, value);
  for (const [key, { name, value }] of cookies) {
    if (cookies.size <= MAX_COOKIES && bytes <= MAX_ALL_BYTES) return;
    cookies.delete(key);
    bytes -= sizeOf(name, value);
  }
}

function sizeOf(name: string, value: string): number {
  return name.length + value.length;
}

/** Whether a path is the same as another, or below it. */
function isBelow(path: string, other: string): boolean {
  if (!path.startsWith(other)) return false;
  return path.length === other.length || other.endsWith('/') || path[other.length] === '/';
}

/** The path of a cookie that names none. */
function directoryOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')));
}
