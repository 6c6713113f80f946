import type { ClientOptions } from '../client/types.js';
import { checkSharing, type Middleware } from '../middleware/contract.js';
import { LongwireError } from '../errors.js';
import { toolFilter } from '../group/tool-selection.js';
import { toolOf } from '../middleware/tools.js';
import { nearest } from '../nearest.js';
import { networkOptionsOf } from './network.js';
import type { ServerConfig } from './types.js';

/** Middlewares by name: each is made from the options that are written with its name. */
export type MiddlewareRegistry = Readonly<
  Record<string, (options: Readonly<Record<string, unknown>>) => Middleware | Promise<Middleware>>
>;

/**
 * The options for the client of a configured server, its middlewares included. Files of certificates are
 * read. Tools that the
 * configuration excludes are not listed, and calling one fails with code `unknown-tool`. `registry`
 * has the middlewares that may be named. Default: none.
 *
 * @throws LongwireError (code `config`) for a middleware that is not in the registry or refuses its
 * options, and for a certificate or a key that cannot be used; it says where the server is written.
 */
export async function clientOptionsOf(
  server: ServerConfig,
  registry: MiddlewareRegistry = {},
): Promise<ClientOptions & { middleware?: readonly Middleware[] }> {
  const { include, exclude } = server.tools;
  const isRestricted = include !== undefined || exclude !== undefined;
  const named = await namedMiddlewares(server, registry);
  // Outermost, so that no answer of another middleware has a tool that is excluded.
  const middleware = isRestricted ? [onlyTools(server), ...named] : named;
  return {
    ...server.options,
    ...networkOptionsOf(server),
    ...(middleware.length > 0 && { middleware }),
  };
}

/** Allows only the tools that the configuration has. */
function onlyTools({ tools, name: server, place }: ServerConfig): Middleware {
  const isThere = toolFilter(tools);
  return async (request, next) => {
    const tool = toolOf(request);
    if (tool !== undefined && !isThere(tool)) {
      throw new LongwireError(`the tool ${tool} of ${server} is left out in ${place}`, {
        code: 'unknown-tool',
        certainty: 'not-sent',
        hint: 'change what the file says of its tools to call it',
      });
    }
    const response = await next();
    const { tools: listed } = response.result;
    if (request.method !== 'tools/list' || !Array.isArray(listed)) return response;
    const isKept = (each: unknown): boolean =>
      isThere(String((each as { name?: unknown } | null)?.name));
    return { ...response, result: { ...response.result, tools: listed.filter(isKept) } };
  };
}

async function namedMiddlewares(
  server: ServerConfig,
  registry: MiddlewareRegistry,
): Promise<Middleware[]> {
  const named: Middleware[] = [];
  for (const { name, options } of server.middleware) {
    const where = `${server.place}: middleware ${JSON.stringify(name)} of server ${JSON.stringify(server.name)}`;
    const create = Object.hasOwn(registry, name) ? registry[name] : undefined;
    if (create === undefined) {
      const names = Object.keys(registry);
      const [near] = nearest(name, names);
      const there = names.length === 0 ? 'none is known' : `there are ${names.join(', ')}`;
      throw wrong(`${where} is unknown: ${near === undefined ? there : `did you mean "${near}"?`}`);
    }
    try {
      named.push(await create(options));
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw wrong(`${where}: ${reason}`, cause);
    }
  }
  try {
    checkSharing(named, server.options.headers);
  } catch (cause) {
    const where = `${server.place}: server ${JSON.stringify(server.name)}`;
    throw wrong(`${where}: ${(cause as TypeError).message}`, cause);
  }
  return named;
}

function wrong(message: string, cause?: unknown): LongwireError {
  const options = { code: 'config', certainty: 'not-sent' } as const;
  return new LongwireError(message, cause === undefined ? options : { ...options, cause });
}
