import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { MaybePromise, Principal } from '../principal.js';
import { RefusedError, refuse } from '../refusal.js';
import type { MountPage, MountWatch } from './mount-page.js';
import { ALLOW_FAILED, NOT_ALLOWED, refuseOtherPages } from './page-guard.js';

/** What the routes of a page are made with. */
export interface PageRoutesOptions {
  readonly page: MountPage;
  readonly watch: MountWatch;
  /** Of the mount. */
  readonly prefix: string;
  /** The guard of the mount. */
  readonly guard: (request: FastifyRequest, reply: FastifyReply, done: () => void) => void;
  /** @throws RefusedError */
  readonly authenticate: (request: FastifyRequest) => MaybePromise<Principal>;
}

/** Adds the page of a mount below its `/page`, for whoever the mount knows and the page allows. */
export async function registerPage(
  app: FastifyInstance,
  { page, watch, prefix, guard, authenticate }: PageRoutesOptions,
): Promise<void> {
  const admit = async (
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply | undefined> => {
    const refusal = refuseOtherPages(request);
    if (refusal !== undefined) return refuse(reply, refusal);
    try {
      const isAllowed = await page.allow(await authenticate(request));
      return isAllowed === true ? undefined : refuse(reply, NOT_ALLOWED);
    } catch (error) {
      if (error instanceof RefusedError) return refuse(reply, error.refusal);
      request.log.error(error, 'the function allow of a page failed');
      return refuse(reply, ALLOW_FAILED);
    }
  };
  await app.register(
    async (scope) => {
      scope.addHook('onRequest', guard);
      scope.addHook('onRequest', admit);
      scope.addHook('preClose', async () => watch.close());
      await watch.register(scope);
    },
    { prefix: `${prefix}/page` },
  );
}
