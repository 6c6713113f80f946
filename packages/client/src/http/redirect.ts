import { HttpStatusError, LongwireError } from '../errors.js';
import { isSameOrigin, namedUrl, otherOriginAdvice, displayLocation } from './origin.js';
import { displayUrl } from './display-url.js';
import type { HttpMethod } from '../options/channel-options.js';

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** A request that was redirected. */
export interface Redirected {
  method: HttpMethod;
  from: URL;
  /** The `Location` header. */
  location: string | string[] | undefined;
  error: HttpStatusError;
}

/** Whether a status is a redirect. */
export function isRedirect(status: number): boolean {
  return REDIRECTS.has(status);
}

/**
 * The URL to which the same request is sent again, or the error that says where the redirect leads and
 * what to do. To the same origin these are followed:
 *
 * - 307 and 308;
 * - any redirect of a GET;
 * - 301 and 302 of a POST that only add or drop a slash at the end of the path. Browsers change such a
 *   POST into a GET, but a server that wants the slash ran nothing and means the same POST.
 */
export function redirectTarget({ method, from, location, error }: Redirected): URL | LongwireError {
  const { status, excerpt, certainty } = error;
  const to = typeof location === 'string' ? namedUrl(location.trim(), from) : undefined;
  if (to === undefined) return error;
  const what = `${method} ${displayUrl(from)}`;
  if (!isSameOrigin(to, from)) {
    return new LongwireError(
      `${what} redirects (${status}) to another origin, ${displayLocation(to)}, which is never followed`,
      {
        code: 'protocol',
        // A 303 follows a request that was carried out.
        certainty: status === 303 ? certainty : 'refused',
        hint: otherOriginAdvice(to, from),
        cause: error,
      },
    );
  }
  const keepsMethod = status === 307 || status === 308 || method === 'GET';
  if (keepsMethod || (status !== 303 && differInSlash(from, to))) return to;
  return new HttpStatusError(
    `${what} was answered ${status}, a redirect to ${displayLocation(to)}, where a ${method} is not sent again`,
    {
      status,
      excerpt,
      certainty,
      hint: 'use that address if the server is there',
      cause: error,
    },
  );
}

/** Whether two URLs differ only in slashes at the end of the path. */
function differInSlash(one: URL, other: URL): boolean {
  const bare = ({ pathname }: URL): string => pathname.replace(/\/+$/, '');
  return one.search === other.search && bare(one) === bare(other);
}
