import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { MaybePromise, Principal } from '../principal.js';

/** Says who sends a request. */
export interface Authenticator {
  /**
   * Asked for every request of the mount, before its body is read.
   *
   * @throws RefusedError with the answer for whoever may not send it: 401 with `WWW-Authenticate`, 403.
   */
  authenticate(request: FastifyRequest): MaybePromise<Principal>;
  /** Adds the routes it needs to the application, such as the metadata of the resource. */
  register?(app: FastifyInstance, mount: { readonly prefix: string }): void;
}

/** An authenticator, or its function alone: returns the principal, or throws. */
export type Authenticate = Authenticator | Authenticator['authenticate'];
