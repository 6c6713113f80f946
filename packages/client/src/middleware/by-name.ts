import type { Middleware } from './contract.js';
import { LongwireError } from '../errors.js';
import { didYouMean } from '../nearest.js';
import { apiKey } from './api-key.js';
import { basic } from './basic.js';
import { bearer } from './bearer.js';
import { cache } from './cache.js';
import { logging, type Logger } from './logging.js';
import { rateLimit } from './rate-limit.js';
import { requestId } from './request-id.js';
import { retry } from './retry.js';
import { timeout } from './timeout.js';
import { checkGroup } from '../options/checks.js';

/** What middlewares need of the program that data cannot hold. */
export interface ByNameOptions {
  /** Where `logging` writes. */
  logger?: Logger;
}

/** Makes a middleware from plain data; a promise where its code is loaded first. */
export type MiddlewareFactory = (
  options?: Readonly<Record<string, unknown>>,
) => Middleware | Promise<Middleware>;

/** The names of the middlewares that configuration can name: those of the functions. */
export type MiddlewareName =
  | 'apiKey'
  | 'basic'
  | 'bearer'
  | 'cache'
  | 'logging'
  | 'metrics'
  | 'otelMetrics'
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
 * Each throws a TypeError that names a wrong option. `metrics`, `otelMetrics` and `tracing` are loaded
 * when they are made, and reject with a LongwireError `config` where `prom-client` or `@opentelemetry/api` is not
 * installed.
 */
export function builtIns(
  own: ByNameOptions = {},
): Readonly<Record<MiddlewareName, MiddlewareFactory>> {
  const { logger } = own;
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
    metrics: async (options) => {
      const { metrics } = await loaded('metrics', 'prom-client', import('./metrics.js'));
      return metrics(options);
    },
    otelMetrics: async (options) => {
      const module = import('./otel-metrics.js');
      const { otelMetrics } = await loaded('otelMetrics', '@opentelemetry/api', module);
      return otelMetrics(options);
    },
    rateLimit: (options = {}) => rateLimit(options),
    requestId: (options) => requestId(options),
    retry: (options) => retry(options),
    timeout: (options = {}) => timeout(options),
    tracing: async (options) => {
      const { tracing } = await loaded('tracing', '@opentelemetry/api', import('./tracing.js'));
      return tracing(options);
    },
  };
}

/**
 * Makes a built-in middleware by its name, as {@link builtIns} does.
 *
 * @throws TypeError that names what is wrong: a name that there is not, with the nearest one, or
 * an option; LongwireError as {@link builtIns} says.
 */
export async function byName(
  name: string,
  options: Readonly<Record<string, unknown>> = {},
  own: ByNameOptions = {},
): Promise<Middleware> {
  const factories: Readonly<Record<string, MiddlewareFactory>> = builtIns(own);
  const factory = Object.hasOwn(factories, name) ? factories[name] : undefined;
  if (factory !== undefined) return await factory(options);
  const names = Object.keys(factories);
  const near = didYouMean(name, names);
  throw new TypeError(
    `${JSON.stringify(name)} is no middleware.${near === '' ? ` There are ${names.join(', ')}.` : near}`,
  );
}

/** A module that needs a package which not every program installs. */
async function loaded<Module>(
  name: string,
  packageName: string,
  module: Promise<Module>,
): Promise<Module> {
  try {
    return await module;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new LongwireError(`${name} needs the package ${packageName}, which is not installed`, {
      code: 'config',
      certainty: 'not-sent',
      hint: `npm install ${packageName}`,
      cause,
    });
  }
}
