import type { ResponseHeaders } from './request-options.js';

/** Whether a body is of a media type, with any parameters. */
export function isOfType(headers: ResponseHeaders, type: string): boolean {
  const named = headers['content-type'];
  // The usual case.
  if (named === type) return true;
  return typeof named === 'string' && named.split(';', 1)[0]?.trim().toLowerCase() === type;
}
