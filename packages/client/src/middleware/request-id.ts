import { randomUUID } from 'node:crypto';
import { withoutIdentity, type Middleware } from './contract.js';
import { headerName } from './request-header.js';
import { checkOptions, withDefaults, type DefaultTable } from '../options/option.js';

/** Options of {@link requestId}. */
export interface RequestIdOptions {
  /** The header that carries the id. Default `x-request-id`. */
  header?: string;
  /** Makes an id. Default: a random UUID. */
  generate?: () => string;
}

/** Every option of a request id. */
export const REQUEST_ID: DefaultTable<RequestIdOptions> = {
  header: { kind: 'text', default: 'x-request-id' },
  generate: { kind: 'function', default: () => randomUUID(), otherwise: 'a random UUID' },
};

/**
 * Gives every request an id: in a header, over HTTP, and as `metadata.requestId` of request and
 * response, for other middlewares. One that is there already, in either place, is kept, also when
 * the request is sent again.
 *
 * @throws TypeError that names a wrong option.
 */
export function requestId(options: RequestIdOptions = {}): Middleware {
  checkOptions(options, REQUEST_ID, 'requestId');
  const { header: name, generate } = withDefaults(REQUEST_ID, options);
  const header = headerName('requestId.header', name);
  const middleware: Middleware = async (request, next) => {
    const { headers, metadata } = request;
    const given = headers[header] ?? metadata['requestId'];
    const id = typeof given === 'string' ? given : generate();
    headers[header] = id;
    metadata['requestId'] = id;
    const response = await next();
    response.metadata['requestId'] = id;
    return response;
  };
  // A function of the program may make ids that say who asks.
  return options.generate === undefined ? withoutIdentity(middleware) : middleware;
}
