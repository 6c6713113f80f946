import type { FastifyInstance } from 'fastify';
import { isJsonObject, type JsonObject } from '../json-object.js';
import { addChecksApi } from './checks-api.js';
import { EXPORTS, isExportName } from './exports.js';
import { PageError } from './page-error.js';
import type { CallRequest, PageServers, PageSource } from './page-source.js';

/** Adds what the page asks its server for, and what it tells it to do. */
export function addApi(app: FastifyInstance, source: PageSource): void {
  const servers = (): PageServers => {
    if (source.servers !== undefined) return source.servers;
    if (source.mode === 'replay') {
      throw new PageError(409, 'replay', 'This is a recording: nothing can be called.');
    }
    throw new PageError(409, 'only-shown', 'Nothing can be called from this page.');
  };
  app.get('/api/stream', { exposeHeadRoute: false }, (request, reply) => {
    const last = request.headers['last-event-id'];
    reply.hijack();
    const headers = reply.getHeaders() as Record<string, string>;
    // A proxy that waits for more would hold lines back.
    const streaming = { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' };
    reply.raw.writeHead(200, { ...headers, ...streaming });
    // Whoever comes back may have missed nothing.
    reply.raw.flushHeaders();
    source.log.feed.attach(reply.raw, typeof last === 'string' ? last : undefined);
  });
  app.get<{ Params: { call: string } }>('/api/calls/:call', async ({ params }) => {
    const call = await source.call(Number(params.call));
    if (call === undefined) throw noSuchCall();
    return call;
  });
  app.post('/api/call', async ({ body }, reply) => {
    const call = await servers().begin(readCallRequest(body));
    return reply.code(202).send({ call });
  });
  app.post<{ Params: { call: string } }>('/api/calls/:call/cancel', async ({ params }, reply) => {
    if (!servers().cancel(Number(params.call))) throw noSuchCall();
    return reply.code(204).send();
  });
  app.post<{ Params: { name: string } }>(
    '/api/servers/:name/subscribe',
    async ({ params, body }, reply) => {
      const { uri, on } = objectIn(body);
      if (typeof uri !== 'string' || typeof on !== 'boolean') {
        throw wrong('uri is a text, and on is true or false');
      }
      await servers().subscribe(params.name, uri, on);
      return reply.code(204).send();
    },
  );
  app.post<{ Params: { name: string } }>(
    '/api/servers/:name/refresh',
    async ({ params }, reply) => {
      await servers().refresh(params.name);
      return reply.code(204).send();
    },
  );
  app.post('/api/replay', async ({ body }, reply) => {
    if (source.control === undefined) {
      throw new PageError(409, 'live', 'This is no recording: it has no time to go to.');
    }
    const { at, speed, playing, next } = objectIn(body);
    if (
      !isOptional(at, 'number') ||
      !isOptional(speed, 'number') ||
      !isOptional(playing, 'boolean') ||
      !isOptional(next, 'string')
    ) {
      throw wrong('at and speed are numbers, playing is true or false, and next is a filter');
    }
    await source.control({ at, speed, playing, next });
    return reply.code(204).send();
  });
  app.get<{ Querystring: { format?: string } }>('/api/export', async ({ query }, reply) => {
    const { format = '' } = query;
    if (!isExportName(format)) {
      throw wrong(`format is one of ${Object.keys(EXPORTS).join(', ')}`);
    }
    const { file, make } = EXPORTS[format];
    reply.header('content-disposition', `attachment; filename="${file}"`);
    return make(source.log.picture);
  });
  addChecksApi(app, source.checks);
  app.get('/api/recording', async (_request, reply) => {
    reply.header('content-disposition', 'attachment; filename="recording.ndjson"');
    return reply.type('application/x-ndjson').send(source.recording());
  });
}

/**
 * Reads what the page asks to be called.
 *
 * @throws PageError that says what is wrong.
 */
function readCallRequest(body: unknown): CallRequest {
  const { server, method, name, arguments: args, confirmed } = isJsonObject(body) ? body : {};
  if (typeof server !== 'string') throw wrong('server is the name of a server');
  if (method !== 'tools/call' && method !== 'resources/read' && method !== 'prompts/get') {
    throw wrong('method is tools/call, resources/read or prompts/get');
  }
  if (typeof name !== 'string') throw wrong('name is that of a tool or a prompt, or a URI');
  if (args !== undefined && !isJsonObject(args)) throw wrong('arguments is an object');
  return { server, method, name, arguments: args, confirmed: confirmed === true };
}

interface Kinds {
  number: number;
  boolean: boolean;
  string: string;
}

function isOptional<Kind extends keyof Kinds>(
  value: unknown,
  kind: Kind,
): value is Kinds[Kind] | undefined {
  return value === undefined || typeof value === kind;
}

function objectIn(body: unknown): JsonObject {
  return isJsonObject(body) ? body : {};
}

function wrong(message: string): PageError {
  return new PageError(400, 'invalid-request', message);
}

function noSuchCall(): PageError {
  return new PageError(404, 'not-found', 'There is no such call.');
}
