import { withoutIdentity, type McpRequest, type McpResponse, type Middleware } from './contract.js';
import { jsonBytes } from './json-size.js';
import { outcomeOf, outcomeOfError } from './outcome.js';
import { redaction, type Show } from './redaction.js';
import { toolOf } from './tools.js';
import { checkOptions, withDefaults, type DefaultTable } from '../options/option.js';
import {
  errorAttributes,
  requestAttributes,
  responseAttributes,
  routeAttributes,
  serverAttributes,
} from '../telemetry/attributes.js';

/** The level of a log line. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Takes log lines, as a pino logger does. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** Says that lines of a level are not written, so that they are not made. */
  isLevelEnabled?(level: LogLevel): boolean;
}

/** Options of {@link logging}. */
export interface LoggingOptions {
  /** The level of a request that succeeded. Default `info`. */
  level?: LogLevel;
  /** How many characters of a string are shown. Default 200. */
  maxValueChars?: number;
  /**
   * Names of fields that are never shown, in any letter case, in addition to those that sound like a
   * secret: `token`, `password`, `authorization`, `api_key`, `cookie` and the like. Default: none.
   */
  redact?: readonly string[];
  /**
   * Log the connection's own requests like those of the program. Default `false`; they are logged at
   * `debug`.
   */
  internal?: boolean;
}

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** Every option of logging. */
export const LOGGING: DefaultTable<LoggingOptions> = {
  level: { kind: 'enum', values: LEVELS, default: 'info' },
  maxValueChars: { kind: 'whole', default: 200 },
  redact: { kind: 'texts', default: [], otherwise: 'none' },
  internal: { kind: 'flag', default: false, otherwise: 'they are logged at `debug`' },
};

/**
 * Logs one line at the end of every request: the server, the principal, the method and the tool, how long it took, its
 * outcome and how sure that is, and about how many bytes went each way. Fields that OpenTelemetry's
 * conventions for MCP name have those names (`mcp.method.name`, `gen_ai.tool.name`, `error.type`);
 * within a `tracing` there are `trace_id` and `span_id`. A tool's error is a `warn`, a failure an `error`. At `debug` it logs params and result, too, without secrets and cut where
 * they are large. Of headers only the names are shown. What the logger throws is ignored.
 *
 * @throws TypeError that names a wrong option.
 */
export function logging(logger: Logger, options: LoggingOptions = {}): Middleware {
  checkOptions(options, LOGGING, 'logging');
  const { level, maxValueChars, redact, internal } = withDefaults(LOGGING, options);
  checkLogger('logging', logger);
  const shown = redaction({ maxValueChars, redact });
  // The hint is at the end of a message.
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
    write(at, () => summaryOf(end, shownError), `${what}: ${outcome}`);
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

/** @throws TypeError that names the method that is not there. */
export function checkLogger(of: string, logger: Logger): void {
  for (const name of LEVELS) {
    if (typeof logger?.[name] !== 'function') {
      throw new TypeError(`${of}: the logger has no method ${name}`);
    }
  }
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
  shownError: Show,
): object {
  const { server, origin, route, params, metadata, internal } = request;
  const mask = (text: string): string => request.redact(text);
  return {
    ...traceOf(request),
    ...serverAttributes(server, origin),
    ...requestAttributes(request),
    ...routeAttributes(route),
    ...(internal && { internal }),
    ...(metadata['requestId'] !== undefined && { requestId: metadata['requestId'] }),
    durationMs: Math.round((performance.now() - startedAt) * 1000) / 1000,
    outcome,
    ...(error !== undefined && {
      ...errorAttributes(error),
      error: shownError(messageOf(error), mask),
    }),
    ...(response !== undefined && responseAttributes(response)),
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
    ...traceOf(request),
    headers: Object.keys(request.headers),
    params: shown(request.params, mask),
    ...(response !== undefined && { result: shown(response.result, mask) }),
  };
}

/** The ids of the span around it, by the names that OpenTelemetry gives them in logs. */
function traceOf({ metadata }: McpRequest): object | undefined {
  return metadata['trace'] as object | undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
