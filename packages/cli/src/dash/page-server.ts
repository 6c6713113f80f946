import type { AddressInfo } from 'node:net';
import { DEFAULT_JSON_BOUNDS, parseExactJson } from '@longwire/client/internal';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { usageError } from '../command-error.js';
import { Guard, type Refusal } from './guard.js';
import { addApi } from './page-api.js';
import { PageError } from './page-error.js';
import { pageDirectory, readPageFile } from './page-files.js';
import type { PageSource } from './page-source.js';

/** How large the arguments of a call may be. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;

/** Nothing but what this server has; images and sounds of results are in the page itself. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "img-src 'self' data:",
  "media-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

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
  const app = fastify({
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    bodyLimit: MAX_BODY_BYTES,
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'string' },
    async (_request: FastifyRequest, body: string) => readBody(body),
  );
  app.addHook('onRequest', async (request, reply) => check(request, reply, guard));
  app.setNotFoundHandler(async () => {
    throw new PageError(404, 'not-found', 'There is nothing here.');
  });
  app.setErrorHandler((error, _request, reply) => answerError(reply, error));
  addPage(app, directory);
  addApi(app, source);
  try {
    await app.listen({ host: '127.0.0.1', port });
  } catch (cause) {
    await app.close();
    const { code, message } = cause as NodeJS.ErrnoException;
    const reason = code === 'EADDRINUSE' ? 'something listens there already' : message;
    throw usageError(`--port ${port} cannot be used: ${reason}`, { cause });
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
  reply.headers({
    'content-security-policy': CONTENT_SECURITY_POLICY,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'no-store',
  });
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

function answerError(reply: FastifyReply, error: unknown): FastifyReply {
  const {
    status,
    statusCode = 500,
    code,
    message,
  } = error as Partial<PageError> & {
    statusCode?: number;
  };
  const text = statusCode < 500 || status !== undefined ? message : 'Something failed here.';
  return reply
    .code(status ?? statusCode)
    .send({ error: { code: code ?? 'error', message: text ?? 'Something failed here.' } });
}

function addPage(app: FastifyInstance, directory: string): void {
  app.get('/', async (_request, reply) => {
    const file = await readPageFile(directory);
    if (file !== undefined) return reply.type(file.type).send(file.bytes);
    return reply
      .code(503)
      .type('text/plain; charset=utf-8')
      .send('The page is not part of this build. Its data is at /api/stream.\n');
  });
  app.get<{ Params: { name: string } }>('/assets/:name', async ({ params }, reply) => {
    const file = await readPageFile(directory, params.name);
    if (file === undefined) throw new PageError(404, 'not-found', 'There is no such file.');
    // Its name changes with what is in it.
    reply.header('cache-control', 'private, max-age=31536000, immutable');
    return reply.type(file.type).send(file.bytes);
  });
}

function readBody(text: string): unknown {
  if (text.trim() === '') return {};
  try {
    return parseExactJson(text, DEFAULT_JSON_BOUNDS);
  } catch {
    throw new PageError(400, 'invalid-request', 'The body is no JSON, or too deep or too large.');
  }
}
