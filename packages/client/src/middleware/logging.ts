import { checkGroup } from '../connection/options.js';
import {
  withoutIdentity,
  type McpRequest,
  type McpResponse,
  type Middleware,
} from '../connection/middleware.js';
import { LongwireError } from '../errors.js';
import { jsonBytes } from './json-size.js';
import { checkBoolean, checkTexts, checkWhole } from './option-checks.js';
import { outcomeOf, outcomeOfError } from './outcome.js';
import { redaction, type Show } from './redaction.js';
import { toolOf } from './tools.js';

/** How important a line is. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** What takes log lines, such as a pino logger. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** Spares the making of lines that nobody would see. */
  isLevelEnabled?(level: LogLevel): boolean;
}

/** Options of {@link logging}. */
export interface LoggingOptions {
  /** The level of a request that went well. Default `info`. */
  level?: LogLevel;
  /** Of a longer string only so many characters are shown. Default 200. */
  maxValueChars?: number;
  /**
   * Names of fields that are never shown, in any letter case, beside those that sound like a
   * secret: `token`, `password`, `authorization`, `api_key`, `cookie` and the like.
   */
  redact?: readonly string[];
  /** Log the connection's own requests like those of the program. Default `false`: at `debug`. */
  internal?: boolean;
}

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/**
 * Logs one line at the end of every request: its method and tool, how long it took, its outcome
 * and how sure that is, and about how many bytes went each way. A tool's error is a `warn`, a
 * failure an `error`. At `debug` it logs params and result, too, without secrets and cut where
 * they are large. Of headers only the names are shown. What the logger throws is ignored.
 *
 * @throws TypeError that names a wrong option.
 */
export function logging(logger: Logger, options: LoggingOptions = {}): Middleware {
  checkGroup('logging', options, ['level', 'maxValueChars', 'redact', 'internal']);
  const { level = 'info', maxValueChars = 200, redact = [], internal = false } = options;
  for (const name of LEVELS) {
    if (typeof logger?.[name] !== 'function') {
      throw new TypeError(`logging: the logger has no method ${name}`);
    }
  }
  if (!LEVELS.includes(level)) {
    throw new TypeError(`logging.level: ${JSON.stringify(level)} is none of ${LEVELS.join(', ')}`);
  }
  checkWhole('logging.maxValueChars', maxValueChars);
  checkTexts('logging.redact', redact);
  checkBoolean('logging.internal', internal);
  const shown = redaction({ maxValueChars, redact });
  // What to try stands at the end of a message.
  const shownError = redaction({ maxValueChars: Math.max(maxValueChars, 1000), redact });

  const write = (at: LogLevel, makeFields: () => object, message: string): void => {
    try {
      if (logger.isLevelEnabled?.(at) !== false) logger[at](makeFields(), message);
    } catch {
      // A call does not fail because it could not be written down.
    }
  };

  const log = (end: Ending, outcomeLevel: LogLevel): void => {
    const { request, outcome } = end;
    const tool = toolOf(request);
    const what = tool === undefined ? request.method : `${request.method} ${tool}`;
    const at = request.internal && !internal ? 'debug' : outcomeLevel;
    write(at, () => summaryOf(end, tool, shownError), `${what}: ${outcome}`);
    write('debug', () => detailsOf(end, shown), `${what}: params and result`);
  };

  return withoutIdentity(async (request, next) => {
    const startedAt = performance.now();
    try {
      const response = await next();
      const outcome = outcomeOf(response);
      log({ request, startedAt, outcome, response }, outcome === 'ok' ? level : 'warn');
      return response;
    } catch (error) {
      log({ request, startedAt, outcome: outcomeOfError(error), error }, 'error');
      throw error;
    }
  });
}

/** A request that has settled. */
interface Ending {
  request: McpRequest;
  startedAt: number;
  outcome: string;
  response?: McpResponse;
  error?: unknown;
}

function summaryOf(
  { request, startedAt, outcome, response, error }: Ending,
  tool: string | undefined,
  shownError: Show,
): object {
  const { method, params, metadata, internal } = request;
  const mask = (text: string): string => request.redact(text);
  return {
    method,
    ...(tool !== undefined && { tool }),
    ...(internal && { internal }),
    ...(metadata['requestId'] !== undefined && { requestId: metadata['requestId'] }),
    durationMs: Math.round((performance.now() - startedAt) * 1000) / 1000,
    outcome,
    ...(error instanceof LongwireError && { certainty: error.certainty }),
    ...(error !== undefined && { error: shownError(messageOf(error), mask) }),
    ...(response?.metadata['cache'] !== undefined && { cache: response.metadata['cache'] }),
    ...(response?.metadata['attempts'] !== undefined && {
      attempts: response.metadata['attempts'],
    }),
    requestBytes: jsonBytes(params),
    ...(response !== undefined && { responseBytes: jsonBytes(response.result) }),
  };
}

function detailsOf({ request, response }: Ending, shown: Show): object {
  const mask = (text: string): string => request.redact(text);
  return {
    headers: Object.keys(request.headers),
    params: shown(request.params, mask),
    ...(response !== undefined && { result: shown(response.result, mask) }),
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
