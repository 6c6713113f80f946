import { checkGroup } from '../connection/options.js';
import type { Middleware } from '../connection/middleware.js';
import { didYouMean } from '../nearest.js';
import { apiKey } from './api-key.js';
import { basic } from './basic.js';
import { bearer } from './bearer.js';
import { cache } from './cache.js';
import { logging, type Logger } from './logging.js';
import { metrics } from './metrics.js';
import { rateLimit } from './rate-limit.js';
import { requestId } from './request-id.js';
import { retry } from './retry.js';
import { timeout } from './timeout.js';
import { tracing } from './tracing.js';

/** What middlewares need of the program that data cannot hold. */
export interface MiddlewareSurroundings {
  /** Where `logging` writes. */
  logger?: Logger;
}

/** Makes a middleware from plain data. */
export type MiddlewareMaker = (options?: Readonly<Record<string, unknown>>) => Middleware;

/** The names of the middlewares that configuration can name: those of the functions. */
export type MiddlewareName =
  | 'apiKey'
  | 'basic'
  | 'bearer'
  | 'cache'
  | 'logging'
  | 'metrics'
  | 'rateLimit'
  | 'requestId'
  | 'retry'
  | 'timeout'
  | 'tracing';

/**
 * What makes each built-in middleware from plain data, such as a configuration file holds: the
 * options of its function; `bearer` has `token`, `apiKey` has `key`, `basic` has `user` and
 * `password`. A `tokenRefresh` needs a function, and cannot be made of data.
 *
 * Each throws a TypeError that names a wrong option.
 */
export function builtIns(
  surroundings: MiddlewareSurroundings = {},
): Readonly<Record<MiddlewareName, MiddlewareMaker>> {
  const { logger } = surroundings;
  return {
    apiKey: (options = {}) => {
      checkGroup('apiKey', options, ['key', 'header']);
      const { key, ...rest } = options;
      return apiKey(key as string, rest);
    },
    basic: (options = {}) => {
      checkGroup('basic', options, ['user', 'password']);
      return basic(options['user'] as string, options['password'] as string);
    },
    bearer: (options = {}) => {
      checkGroup('bearer', options, ['token']);
      return bearer(options['token'] as string);
    },
    cache: (options) => cache(options),
    logging: (options) => {
      if (logger === undefined) throw new TypeError('logging: there is nothing to log to here');
      return logging(logger, options);
    },
    metrics: (options) => metrics(options),
    rateLimit: (options = {}) => rateLimit(options),
    requestId: (options) => requestId(options),
    retry: (options) => retry(options),
    timeout: (options = {}) => timeout(options),
    tracing: (options) => tracing(options),
  };
}

/**
 * Makes a built-in middleware by its name, as {@link builtIns} does.
 *
 * @throws TypeError that names what is wrong: a name that there is not, with the nearest one, or
 * an option.
 */
export function byName(
  name: string,
  options: Readonly<Record<string, unknown>> = {},
  surroundings: MiddlewareSurroundings = {},
): Middleware {
  const makers: Readonly<Record<string, MiddlewareMaker>> = builtIns(surroundings);
  const maker = Object.hasOwn(makers, name) ? makers[name] : undefined;
  if (maker !== undefined) return maker(options);
  const names = Object.keys(makers);
  const near = didYouMean(name, names);
  throw new TypeError(
    `${JSON.stringify(name)} is no middleware.${near === '' ? ` There are ${names.join(', ')}.` : near}`,
  );
}
