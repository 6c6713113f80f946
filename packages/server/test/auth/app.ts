import fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
} from 'fastify';
import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import { Writable } from 'node:stream';
import { request } from 'undici';
import { afterEach } from 'vitest';
import type { Authenticate } from '../../src/auth/authenticator.ts';
import {
  resolveAuthenticator,
  type ResolveAuthenticatorOptions,
} from '../../src/auth/resolve-authenticator.ts';
import { MemoryRevocationStore, type RevocationStore } from '../../src/auth/revocation-store.ts';
import { registerCors, resolveCorsOptions, type CorsOptions } from '../../src/guard/cors.ts';
import { resolveGuardOptions, type GuardOptions } from '../../src/guard/guard-options.ts';
import { guardRequest } from '../../src/guard/guard-request.ts';
import type { RateLimit, RateStore, RateTaken } from '../../src/limits/rate-store.ts';
import type { Principal } from '../../src/principal.ts';
import { RefusedError, refuse } from '../../src/refusal.ts';

/** What is still open; closed after each test, the last first. */
export const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

export interface AppOptions extends GuardOptions, ResolveAuthenticatorOptions {
  auth?: Authenticate;
  cors?: boolean | CorsOptions;
  prefix?: string;
  fastify?: FastifyServerOptions;
  revocations?: RevocationStore;
  /** Whether the guard comes first, as in the kit. Default: true. */
  isGuarded?: boolean;
}

/** One line of the log. */
export type LogLine = Record<string, unknown> & { level: number; msg: string };

export interface App {
  readonly app: FastifyInstance;
  readonly url: string;
  readonly lines: LogLine[];
  /** Lines that say that a request was refused. */
  refusals(): LogLine[];
}

/** An application with guard, CORS and authentication in the order of the kit; it echoes the principal. */
export async function serveApp(options: AppOptions = {}): Promise<App> {
  const { prefix = '', cors, auth, rates, attempts, isGuarded = true } = options;
  const guard = resolveGuardOptions({
    ...(options.allowedHosts && { allowedHosts: options.allowedHosts }),
    ...(options.allowedOrigins && { allowedOrigins: options.allowedOrigins }),
  });
  const authenticator = resolveAuthenticator(auth, {
    ...(rates && { rates }),
    ...(attempts && { attempts }),
  });
  const lines: LogLine[] = [];
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      lines.push(JSON.parse(String(chunk)));
      done();
    },
  });
  const app = fastify({ logger: { level: 'info', stream }, ...options.fastify }) as FastifyInstance;
  const principals = new WeakMap<FastifyRequest, Principal>();
  const guardHook = async (req: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const refusal = isGuarded ? guardRequest(req, guard) : undefined;
    return refusal && refuse(reply, refusal);
  };
  await app.register(async (scope) => {
    scope.addHook('onRequest', guardHook);
    authenticator.register?.(scope, {
      prefix,
      revocations: options.revocations ?? new MemoryRevocationStore(),
      end: () => {},
    });
  });
  await app.register(
    async (mount) => {
      mount.addHook('onRequest', guardHook);
      const resolvedCors = resolveCorsOptions(cors);
      if (resolvedCors) registerCors(mount, resolvedCors, guard.allowedOrigins);
      mount.addHook('onRequest', async (req, reply) => {
        try {
          principals.set(req, await authenticator.authenticate(req));
          return undefined;
        } catch (error) {
          if (error instanceof RefusedError) return refuse(reply, error.refusal);
          throw error;
        }
      });
      for (const url of ['/mcp', '/sse', '/messages']) {
        mount.route({
          url,
          method: ['GET', 'POST', 'DELETE', 'OPTIONS'],
          handler: async (req) => principals.get(req),
        });
      }
    },
    { prefix },
  );
  await app.listen({ port: 0, host: '127.0.0.1' });
  open.push(() => app.close());
  const { port } = app.server.address() as AddressInfo;
  return {
    app,
    url: `http://127.0.0.1:${port}${prefix}/mcp`,
    lines,
    refusals: () => lines.filter(({ msg }) => msg === 'request refused'),
  };
}

/** A response, read. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Record<string, string | string[] | undefined>;
}

/** Sends a request, by default without a body. */
export async function ask(
  url: string,
  headers: Record<string, string> = {},
  method: 'GET' | 'POST' | 'OPTIONS' | 'DELETE' | 'HEAD' = 'POST',
): Promise<Answer> {
  const answer = await request(url, { method, headers });
  return {
    status: answer.statusCode,
    headers: answer.headers,
    text: await answer.body.text(),
  };
}

/** The whole answer to bytes on a socket of their own. */
export async function raw(url: string, head: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  open.push(async () => socket.destroy());
  socket.write(Buffer.from(head, 'latin1'));
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  await once(socket, 'end').catch(() => {});
  return text;
}

/** Counts in a fixed window that never ends: what a test needs, and no clock. */
export class CountingStore implements RateStore {
  readonly counts = new Map<string, number>();

  take(key: string, { max, windowMs }: RateLimit): RateTaken {
    const count = (this.counts.get(key) ?? 0) + 1;
    this.counts.set(key, count);
    const left = Math.max(0, max - count);
    return { isAllowed: count <= max, left, retryAfterMs: left > 0 ? 0 : windowMs };
  }
}
