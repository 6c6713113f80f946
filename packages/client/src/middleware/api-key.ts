import { checkGroup } from '../connection/options.js';
import type { Middleware } from '../connection/middleware.js';
import { checkText } from './option-checks.js';
import { fixedHeader } from './request-header.js';

/** Options of {@link apiKey}. */
export interface ApiKeyOptions {
  /** The header that carries the key. Default `x-api-key`. */
  header?: string;
}

/**
 * Sends a key in a header with every request, the handshake included, over HTTP. A request with a
 * header of that name keeps it.
 *
 * @throws TypeError for a key or a header that cannot be one.
 */
export function apiKey(key: string, options: ApiKeyOptions = {}): Middleware {
  checkGroup('apiKey', options, ['header']);
  checkText('apiKey.key', key);
  return fixedHeader(options.header ?? 'x-api-key', key);
}
