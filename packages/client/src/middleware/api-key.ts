import type { Middleware } from './contract.js';
import { fixedHeader } from './request-header.js';
import { checkText } from '../options/checks.js';
import { checkOptions, withDefaults, type DefaultTable } from '../options/option.js';

/** Options of {@link apiKey}. */
export interface ApiKeyOptions {
  /** The header that carries the key. Default `x-api-key`. */
  header?: string;
}

/** Every option of an API key, beside the key. */
export const API_KEY: DefaultTable<ApiKeyOptions> = {
  header: { kind: 'text', default: 'x-api-key' },
};

/**
 * Sends a key in a header with every request, the handshake included, over HTTP. A request with a
 * header of that name keeps it.
 *
 * @throws TypeError for a key or a header that cannot be one.
 */
export function apiKey(key: string, options: ApiKeyOptions = {}): Middleware {
  checkOptions(options, API_KEY, 'apiKey');
  checkText('apiKey.key', key);
  return fixedHeader(withDefaults(API_KEY, options).header, key);
}
