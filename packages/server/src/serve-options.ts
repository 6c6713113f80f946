import type { FastifyBaseLogger, FastifyServerOptions } from 'fastify';
import { checkFlag } from './check-options.js';
import { requestForLog } from './operate/log.js';

/** Where a server of its own listens and what it logs to, as they are given. */
export interface ListenOptions {
  readonly port: unknown;
  readonly host: unknown;
  readonly prefix: unknown;
  readonly signals: unknown;
  readonly answerUncaught: unknown;
}

/** One or more segments, without parameters: addresses are made of it. */
const PREFIX = /^(?:\/[\w.~-]+)*$/;

/**
 * Checks what only a server of its own has.
 *
 * @throws TypeError that names the wrong option.
 */
export function checkListenOptions({ port, host, prefix, ...flags }: ListenOptions): void {
  if (!Number.isInteger(port) || (port as number) < 0 || (port as number) > 65_535) {
    throw new TypeError('port must be a whole number from 0 to 65535');
  }
  if (typeof host !== 'string' || host === '') {
    throw new TypeError('host must be an address or a name of this machine');
  }
  if (typeof prefix !== 'string' || !PREFIX.test(prefix)) {
    throw new TypeError('prefix must be a path without a slash at its end, such as /api');
  }
  for (const [name, value] of Object.entries(flags)) checkFlag(name, value);
}

/**
 * The option `logger` as Fastify takes it, so that no request in the log shows a secret, whatever path it
 * asks for.
 *
 * @throws TypeError when it is none of what it may be.
 */
export function loggerOptions(
  logger: FastifyServerOptions['logger'] | FastifyBaseLogger,
): Pick<FastifyServerOptions, 'logger' | 'loggerInstance'> {
  if (logger === undefined || logger === false) return {};
  const serializers = { req: requestForLog };
  if (logger === true) return { logger: { serializers } };
  if (typeof logger !== 'object' || logger === null) {
    throw new TypeError('logger must be true, false, options of pino, or a logger');
  }
  if ('child' in logger) return { loggerInstance: logger.child({}, { serializers }) };
  return { logger: { ...logger, serializers: { ...logger.serializers, ...serializers } } };
}
