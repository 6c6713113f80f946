import { parseCookie } from 'undici';

/** As many, and as much of one, as every browser keeps of one host at least. */
const MAX_COOKIES = 50;
const MAX_COOKIE_BYTES = 4096;
/** All together; servers refuse requests whose headers are longer than 8 or 16 KiB. */
const MAX_ALL_BYTES = 8192;

/** What may be sent back, of what undici lets through. */
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
 * The cookies of one client, in memory. Load balancers put into them to which server a session
 * belongs; without them its requests go to servers that know nothing of it.
 *
 * A cookie goes to the very origin that set it, and to no other: `Domain` would widen that, and is
 * ignored. `Path`, `Secure`, `Max-Age` and `Expires` are kept to.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6265
 */
export class CookieJar {
  readonly #now: () => number;
  /** By origin; those of one by name and path, the one that was set last at the end. */
  readonly #origins = new Map<string, Map<string, Cookie>>();

  /** @param now milliseconds since 1970. */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Whether there are none at all, as with most servers. */
  get isEmpty(): boolean {
    return this.#origins.size === 0;
  }

  /** Takes what the `Set-Cookie` headers of an answer say. */
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

  /** What must not be told: the values of all of them. */
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
    // One that is negative is not read by undici, and says the same as 0.
    const maxAge = NEGATIVE_AGE.test(header) ? 0 : parsed.maxAge;
    const expiresAt =
      maxAge !== undefined ? this.#now() + maxAge * 1000 : Number(expires ?? Infinity);
    const key = `${name};${where}`;
    cookies.delete(key);
    // A moment that cannot be read is none.
    if (expiresAt <= this.#now()) return;
    cookies.set(key, { name, value, path: where, expiresAt: expiresAt || Infinity });
  }
}

/** Drops the ones that were set first, until the rest is not too much. */
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

/** Whether a path is another, or below it. */
function isBelow(path: string, other: string): boolean {
  if (!path.startsWith(other)) return false;
  return path.length === other.length || other.endsWith('/') || path[other.length] === '/';
}

/** The path of a cookie that names none. */
function directoryOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')));
}
