import { LongwireError, type LongwireErrorOptions } from '../errors.js';
import { rootError } from '../error-facts.js';
import type { HttpMethod } from '../options/channel-options.js';
import { shownType } from '../untrusted/excerpt.js';
import { displayUrl } from './display-url.js';
import { isOfType } from './media-type.js';
import type { HttpResponse } from './request-options.js';

/** A 2xx answer was a page for people, where an answer of MCP was asked for. */
class PageError extends LongwireError {}

/** The error for a 2xx answer that is not what was `wanted`. */
export function foreignAnswer(
  method: HttpMethod,
  { url, status, headers }: HttpResponse,
  { wanted, ...options }: LongwireErrorOptions & { wanted: string },
): LongwireError {
  const type = shownType(headers['content-type']);
  const summary = `${method} ${displayUrl(url)} was answered ${status} with ${type}, and not with ${wanted}`;
  const isPage = isOfType(headers, 'text/html') || isOfType(headers, 'application/xhtml+xml');
  return new (isPage ? PageError : LongwireError)(summary, options);
}

/** Whether a web page was the answer, whatever that came to. */
export function isPageError(error: LongwireError): boolean {
  return rootError(error) instanceof PageError;
}
