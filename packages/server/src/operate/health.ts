import type { FastifyInstance, FastifyReply } from 'fastify';

/** Why a server is not ready. */
export type NotReady = 'stopping' | 'overloaded' | 'cluster away';

/** What the readiness of a server is asked of. */
export interface HealthOptions {
  /** Whether new work should come here, or why not. Asked for each `GET /readyz`, so it must be cheap. */
  isReady: () => true | NotReady;
}

/** Who says whether an application is ready: each mount of it. */
const mountsOf = new WeakMap<object, Set<HealthOptions['isReady']>>();

/**
 * Adds `/healthz` (200 while the process answers) and `/readyz` (200, or 503 with the reason) to the
 * root of an application, or of the part of it that has its first mount. A server with several mounts is ready when all of them are. Paths that the
 * application has itself stay its own.
 *
 * The plugin's own guard, authentication and limits do not apply, nor `@fastify/rate-limit`; hooks that
 * the application adds to its root do. Logs have these requests below `info` only.
 */
export function registerHealth(app: FastifyInstance, { isReady }: HealthOptions): void {
  // All contexts of an application share this.
  const { server } = app;
  const known = mountsOf.get(server);
  if (known !== undefined) {
    known.add(isReady);
    return;
  }
  const mounts = new Set([isReady]);
  mountsOf.set(server, mounts);
  const answers: Record<string, () => 'ok' | NotReady> = {
    '/healthz': () => 'ok',
    '/readyz': () => {
      for (const mount of mounts) {
        const answer = mount();
        if (answer !== true) return answer;
      }
      return 'ok';
    },
  };
  for (const [url, answer] of Object.entries(answers)) {
    if (app.hasRoute({ method: 'GET', url: `${app.prefix}${url}` })) continue;
    app.route({
      method: 'GET',
      url,
      exposeHeadRoute: true,
      logLevel: 'warn',
      config: { rateLimit: false },
      handler: (_request, reply): FastifyReply => {
        const status = answer();
        return reply
          .code(status === 'ok' ? 200 : 503)
          .header('cache-control', 'no-store')
          .send({ status });
      },
    });
  }
}
