import type { AddressInfo } from 'node:net';
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import { portError } from '../ports.js';
import { Guard, type Refusal } from './guard.js';
import { pageDirectory } from './page-files.js';
import { addPage, PAGE_HEADERS } from './page-routes.js';
import type { PageSource } from './page-source.js';

/** What the page's server is made with. */
export interface PageServerOptions {
  /** Default: any free port. */
  readonly port?: number;
  /** Where the built page is. Default: beside this program. */
  readonly directory?: string;
}

/** The page's server while it listens. */
export interface PageServer extends AsyncDisposable {
  /** With the token. */
  readonly url: string;
  /** With a token that is good once. */
  createLaunchUrl(): string;
  /** Says good-bye to the page, and ends everything that is open. */
  close(): Promise<void>;
}

/**
 * Serves the page on 127.0.0.1, to whoever has the token.
 *
 * @throws LongwireError (usage) if the port is not free.
 */
export async function servePage(
  source: PageSource,
  { port = 0, directory = pageDirectory() }: PageServerOptions = {},
): Promise<PageServer> {
  const guard = new Guard();
  const app = fastify({ exposeHeadRoutes: false, forceCloseConnections: true });
  app.addHook('onRequest', async (request, reply) => check(request, reply, guard));
  addPage(app, source, directory);
  try {
    await app.listen({ host: '127.0.0.1', port });
  } catch (cause) {
    await app.close();
    throw portError(port, cause);
  }
  const { port: listening } = app.server.address() as AddressInfo;
  guard.listensOn(listening);
  const address = `http://127.0.0.1:${listening}/?token=`;
  const close = async (): Promise<void> => {
    await source.log.feed.close();
    await app.close();
  };
  return {
    url: address + guard.token,
    createLaunchUrl: () => address + guard.createOnceOnly(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function check(request: FastifyRequest, reply: FastifyReply, guard: Guard): Promise<unknown> {
  reply.headers(PAGE_HEADERS);
  const elsewhere = guard.refuseOrigin(request);
  if (elsewhere !== undefined) return refuse(request, reply, elsewhere);
  const token = tokenIn(request);
  const cookie = token === undefined ? undefined : guard.exchange(token);
  if (cookie !== undefined) return reply.header('set-cookie', cookie).redirect('/', 303);
  const refusal = guard.refuse(request);
  return refusal === undefined ? undefined : refuse(request, reply, refusal);
}

/** The token in the address of the page. */
function tokenIn({ method, url }: FastifyRequest): string | undefined {
  const base = 'http://127.0.0.1';
  // Not every target of a request is a URL: `//[` is none.
  if (method !== 'GET' || !URL.canParse(url, base)) return undefined;
  const { pathname, searchParams } = new URL(url, base);
  return pathname === '/' ? (searchParams.get('token') ?? undefined) : undefined;
}

function refuse(request: FastifyRequest, reply: FastifyReply, refusal: Refusal): FastifyReply {
  const { status, code, message } = refusal;
  if (request.url.startsWith('/api/')) return reply.code(status).send({ error: { code, message } });
  return reply.code(status).type('text/plain; charset=utf-8').send(`${message}\n`);
}
