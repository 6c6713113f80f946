import { checkHeaders } from '../http/headers.js';
import type { McpRequest, Middleware } from './contract.js';
import { LongwireError } from '../errors.js';
import { checkText } from '../options/checks.js';

/**
 * Makes a middleware that sets the same header, a credential, on every request.
 *
 * @throws TypeError for a name or a value that HTTP does not allow.
 */
export function fixedHeader(name: string, value: string): Middleware {
  const key = headerName('header', name);
  checkHeaders({ [key]: value });
  return (request, next) => {
    if (request.hasOwnCredentials !== true) request.headers[key] ??= value;
    return next();
  };
}

/** A header that a middleware sets on requests that have none of that name. */
export class RequestHeader {
  readonly #name: string;
  /** A request that is sent again still has the value of the time before. */
  readonly #given = new WeakMap<McpRequest, string>();

  /** @throws TypeError for a name that is none. */
  constructor(name: string) {
    this.#name = headerName('header', name);
  }

  /** Whether the request has no such header of its own, nor a principal with its own credentials. */
  isFree(request: McpRequest): boolean {
    if (request.hasOwnCredentials === true) return false;
    const present = request.headers[this.#name];
    return present === undefined || present === this.#given.get(request);
  }

  /** @throws LongwireError `unauthorized` for a value that HTTP does not allow. */
  set(request: McpRequest, value: string): void {
    try {
      checkHeaders({ [this.#name]: value });
    } catch (cause) {
      throw unauthorized('the token cannot be sent', cause);
    }
    this.#given.set(request, value);
    request.headers[this.#name] = value;
  }
}

/** There is no token to send a request with. */
export function unauthorized(summary: string, cause?: unknown): LongwireError {
  const why = cause instanceof Error ? `: ${cause.message}` : '';
  return new LongwireError(`${summary}${why}`, {
    code: 'unauthorized',
    certainty: 'not-sent',
    cause,
  });
}

/**
 * The name of a header in lower case.
 *
 * @throws TypeError that names the option, for a name that is none.
 */
export function headerName(option: string, name: string): string {
  checkText(option, name);
  const [key = name] = Object.keys(checkHeaders({ [name]: '' }));
  return key;
}
