import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { MaybePromise, Principal } from '../principal.js';
import type { RevocationStore } from './revocation-store.js';

/** Says who sends a request. */
export interface Authenticator {
  /**
   * Asked for every request of the mount, before its body is read.
   *
   * @throws RefusedError with the answer for whoever may not send it: 401 with `WWW-Authenticate`, 403.
   */
  authenticate(request: FastifyRequest): MaybePromise<Principal>;
  /**
   * Called once for each mount: adds the routes it needs to the application, such as the metadata of the
   * resource.
   */
  register?(app: FastifyInstance, mount: AuthenticatedMount): void;
}

/** A mount, as its authenticator knows it. */
export interface AuthenticatedMount {
  readonly prefix: string;
  /** What was revoked, on all nodes of the mount. */
  readonly revocations: RevocationStore;
  /** Ends the sessions and subscriptions that these principals have on this node. */
  end(isOf: (principal: Principal) => boolean): void;
}

/** An authenticator, or its function alone: returns the principal, or throws. */
export type Authenticate = Authenticator | Authenticator['authenticate'];
