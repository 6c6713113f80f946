import { DEFAULT_JSON_BOUNDS, parseExactJson } from '@longwire/client/internal';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { addApi } from './page-api.js';
import { PageError } from './page-error.js';
import { readPageFile } from './page-files.js';
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

/** What every answer has, refusals included. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

/** Adds the page with all that it asks for. Who may ask is checked before. `directory` has the built page. */
export function addPage(app: FastifyInstance, source: PageSource, directory: string): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'string', bodyLimit: MAX_BODY_BYTES },
    async (_request: FastifyRequest, body: string) => readBody(body),
  );
  app.setNotFoundHandler(async () => {
    throw new PageError(404, 'not-found', 'There is nothing here.');
  });
  app.setErrorHandler((error, _request, reply) => answerError(reply, error));
  addFiles(app, directory);
  addApi(app, source);
}

function addFiles(app: FastifyInstance, directory: string): void {
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

function readBody(text: string): unknown {
  if (text.trim() === '') return {};
  try {
    return parseExactJson(text, DEFAULT_JSON_BOUNDS);
  } catch {
    throw new PageError(400, 'invalid-request', 'The body is no JSON, or too deep or too large.');
  }
}
