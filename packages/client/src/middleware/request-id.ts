import { randomUUID } from 'node:crypto';
import { checkGroup } from '../connection/options.js';
import { withoutIdentity, type Middleware } from '../connection/middleware.js';
import { headerName } from './request-header.js';
import { checkFunction } from './option-checks.js';

/** Options of {@link requestId}. */
export interface RequestIdOptions {
  /** The header that carries the id. Default `x-request-id`. */
  header?: string;
  /** Makes an id. Default: a random UUID. */
  generate?: () => string;
}

/**
 * Gives every request an id: in a header, over HTTP, and as `metadata.requestId` of request and
 * response, for other middlewares. One that is there already, in either place, is kept, also when
 * the request is sent again.
 *
 * @throws TypeError that names a wrong option.
 */
export function requestId(options: RequestIdOptions = {}): Middleware {
  checkGroup('requestId', options, ['header', 'generate']);
  checkFunction('requestId.generate', options.generate);
  const { header: name = 'x-request-id', generate = randomUUID } = options;
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
  // What a program's own function makes may well say who asks.
  return options.generate === undefined ? withoutIdentity(middleware) : middleware;
}
