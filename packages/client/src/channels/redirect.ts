import { HttpStatusError, LongwireError } from '../errors.js';
import type { HttpMethod } from './exchange.js';
import { isSameOrigin, namedUrl, otherOriginAdvice, shownPlace } from './origin.js';
import { place } from './place.js';

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** A request that was answered with a redirection. */
export interface Redirected {
  method: HttpMethod;
  from: URL;
  /** The `Location` header. */
  location: string | string[] | undefined;
  error: HttpStatusError;
}

/** Whether a status says: elsewhere. */
export function isRedirect(status: number): boolean {
  return REDIRECTS.has(status);
}

/**
 * Where a redirected request is to be sent again as it is, or the error that says where it was sent
 * to and what to do. Followed are, to the same origin: 307 and 308, any redirection of a GET, and
 * 301 and 302 that only add or drop a slash at the end of the path. Those change a POST into a GET
 * in browsers; a server that is particular about the slash has run nothing and means the same POST.
 */
export function judgeRedirect({ method, from, location, error }: Redirected): URL | LongwireError {
  const { status, excerpt, certainty } = error;
  const to = typeof location === 'string' ? namedUrl(location.trim(), from) : undefined;
  if (to === undefined) return error;
  const what = `${method} ${place(from)}`;
  if (!isSameOrigin(to, from)) {
    return new LongwireError(
      `${what} redirects (${status}) to another origin, ${shownPlace(to)}, which is never followed`,
      {
        code: 'protocol',
        // 303 is what follows a request that was carried out.
        certainty: status === 303 ? certainty : 'refused',
        hint: otherOriginAdvice(to, from),
        cause: error,
      },
    );
  }
  const keepsMethod = status === 307 || status === 308 || method === 'GET';
  if (keepsMethod || (status !== 303 && differInSlash(from, to))) return to;
  return new HttpStatusError(
    `${what} was answered ${status}, a redirection to ${shownPlace(to)}, where a ${method} is not sent again`,
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
