import type { ClientOptions } from '../client/types.js';
import type { Middleware } from '../connection/middleware.js';
import { LongwireError } from '../errors.js';
import { nearest } from '../nearest.js';
import type { ServerConfig } from './types.js';

/** Middlewares by name: each is made from the options that are written with its name. */
export type MiddlewareRegistry = Readonly<
  Record<string, (options: Readonly<Record<string, unknown>>) => Middleware>
>;

/**
 * What the client of a configured server is made with, its middlewares included. `registry` has the
 * middlewares that may be named. Default: none.
 *
 * @throws LongwireError (code `config`) for a middleware that is not in the registry or refuses its
 * options; it says where the server is written.
 */
export function clientOptionsOf(
  server: ServerConfig,
  registry: MiddlewareRegistry = {},
): ClientOptions & { middleware?: readonly Middleware[] } {
  if (server.middleware.length === 0) return { ...server.options };
  const middleware = server.middleware.map(({ name, options }) => {
    const where = `${server.place}: middleware ${JSON.stringify(name)} of server ${JSON.stringify(server.name)}`;
    const create = Object.hasOwn(registry, name) ? registry[name] : undefined;
    if (create === undefined) {
      const names = Object.keys(registry);
      const [near] = nearest(name, names);
      const there = names.length === 0 ? 'none is known' : `there are ${names.join(', ')}`;
      throw wrong(`${where} is unknown: ${near === undefined ? there : `did you mean "${near}"?`}`);
    }
    try {
      return create(options);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw wrong(`${where}: ${reason}`, cause);
    }
  });
  return { ...server.options, middleware };
}

function wrong(message: string, cause?: unknown): LongwireError {
  const options = { code: 'config', certainty: 'not-sent' } as const;
  return new LongwireError(message, cause === undefined ? options : { ...options, cause });
}
