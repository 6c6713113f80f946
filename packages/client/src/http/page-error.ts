import { LongwireError, type LongwireErrorOptions } from '../errors.js';
import { rootError } from '../error-facts.js';
import { isOfType } from './media-type.js';
import type { ResponseHeaders } from './request-options.js';

/** A 2xx answer was a page for people, where an answer of MCP was asked for. */
class PageError extends LongwireError {}

/** The error for a 2xx answer that is no answer of MCP. */
export function foreignAnswer(
  headers: ResponseHeaders,
  summary: string,
  options: LongwireErrorOptions,
): LongwireError {
  const isPage = isOfType(headers, 'text/html') || isOfType(headers, 'application/xhtml+xml');
  return new (isPage ? PageError : LongwireError)(summary, options);
}

/** Whether a web page was the answer, whatever that came to. */
export function isPageError(error: LongwireError): boolean {
  return rootError(error) instanceof PageError;
}
