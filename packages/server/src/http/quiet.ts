import { requestForLog } from '../operate/log.js';

/** Route options: a request in the log shows no secret. A client may put one into any query. */
export const QUIET: { readonly logSerializers: { readonly req: typeof requestForLog } } = {
  logSerializers: { req: requestForLog },
};
