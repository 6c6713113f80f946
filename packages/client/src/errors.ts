import type { CallToolResult, JSONValue } from '@modelcontextprotocol/client';

/** What went wrong, as a closed set. Programs decide by this and by {@link Certainty}, never by text. */
export type ErrorCode =
  | 'connect-failed'
  | 'connect-timeout'
  | 'not-mcp'
  | 'unauthorized'
  | 'forbidden'
  | 'http-status'
  | 'connection-lost'
  | 'timeout'
  | 'deadline'
  | 'aborted'
  | 'closed'
  | 'protocol'
  | 'server-error'
  | 'limit-exceeded'
  | 'queue-full'
  | 'invalid-arguments'
  | 'unknown-tool'
  | 'config';

/**
 * How sure a failed call is of what happened on the server:
 *
 * - `not-sent`: it never left this process.
 * - `refused`: it reached the server, which did not run it.
 * - `answered`: the server's own answer is the error.
 * - `outcome-unknown`: it may or may not have run.
 */
export type Certainty = 'not-sent' | 'refused' | 'answered' | 'outcome-unknown';

/** What a {@link LongwireError} is made of, beside its message. */
export interface LongwireErrorOptions {
  code: ErrorCode;
  certainty: Certainty;
  /** What to try, in the words of this library's options. */
  hint?: string | undefined;
  cause?: unknown;
}

/** Every failure that Longwire reports. The message says what was attempted, where, and what to try. */
export class LongwireError extends Error {
  override readonly name: string = 'LongwireError';
  /** What went wrong. */
  readonly code: ErrorCode;
  /** How sure it is of what happened on the server. */
  readonly certainty: Certainty;
  /** The message without the hint of what to try; for programs that give hints of their own. */
  readonly summary: string;
  /** What to try, in the words of this library's options. */
  readonly hint: string | undefined;

  constructor(summary: string, options: LongwireErrorOptions) {
    const { code, certainty, hint } = options;
    const message = hint === undefined ? summary : `${summary}; ${hint}`;
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.certainty = certainty;
    this.summary = summary;
    this.hint = hint;
  }
}

/** The connection went away under a call, or could not be made (code `connection-lost`). */
export class ConnectionLostError extends LongwireError {
  override readonly name: string = 'ConnectionLostError';

  constructor(message: string, options: Omit<LongwireErrorOptions, 'code'>) {
    super(message, { code: 'connection-lost', ...options });
  }
}

/** The server answered with an HTTP status that is an error (codes `http-status`, `unauthorized`, `forbidden`). */
export class HttpStatusError extends LongwireError {
  override readonly name: string = 'HttpStatusError';
  /** The status of the answer. */
  readonly status: number;
  /** The beginning of the answer's body, at most 500 characters. */
  readonly excerpt: string;
  /** The `Retry-After` header in milliseconds from when the answer came, if there was one. */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    options: Omit<LongwireErrorOptions, 'code'> & {
      status: number;
      excerpt: string;
      retryAfterMs?: number | undefined;
    },
  ) {
    const { status, excerpt, retryAfterMs, ...rest } = options;
    const code = status === 401 ? 'unauthorized' : status === 403 ? 'forbidden' : 'http-status';
    super(message, { code, ...rest });
    this.status = status;
    this.excerpt = excerpt;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The server answered the request with a JSON-RPC error (code `server-error`). */
export class ServerError extends LongwireError {
  override readonly name: string = 'ServerError';
  /** The JSON-RPC error's number. */
  readonly number: number;
  /** The JSON-RPC error's `data`, as the server sent it. */
  readonly data: JSONValue | undefined;

  constructor(
    message: string,
    options: { number: number; data?: unknown; hint?: string | undefined; cause?: unknown },
  ) {
    const { number, data, ...rest } = options;
    super(message, { code: 'server-error', certainty: 'answered', ...rest });
    this.number = number;
    this.data = data as JSONValue | undefined;
  }
}

/**
 * A tool ran and answered, but the answer is not what it should be: it misses the tool's output schema,
 * or is no object (code `protocol`, certainty `answered`). The call must not be made again for that.
 */
export class ToolResultError extends LongwireError {
  override readonly name: string = 'ToolResultError';
  /** What the tool answered, in the form of a result: what was no content block is text. */
  readonly result: CallToolResult;

  constructor(
    message: string,
    options: { result: CallToolResult; hint?: string; cause?: unknown },
  ) {
    const { result, ...rest } = options;
    super(message, { code: 'protocol', certainty: 'answered', ...rest });
    this.result = result;
  }
}

/** One thing that was tried to find a server, and what came of it. */
export interface Tried {
  /** Where, without the query. */
  url: string;
  /** What came back, in words. */
  outcome: string;
}

/** A connect attempt that found no MCP server: what was tried, and what came back. */
export class ConnectError extends LongwireError {
  override readonly name: string = 'ConnectError';
  /** Everything that was tried, in order, with what came of it. */
  readonly tried: readonly Tried[];

  constructor(
    message: string,
    options: Omit<LongwireErrorOptions, 'certainty'> & {
      tried: readonly Tried[];
    },
  ) {
    const { tried, ...rest } = options;
    super(message, { certainty: 'not-sent', ...rest });
    this.tried = tried;
  }
}

/** One thing that is wrong in a configuration file. */
export interface ConfigProblem {
  /** The file, as it was named. */
  file: string;
  /** From 1. */
  line: number;
  /** From 1. */
  column: number;
  /** What is wrong, and what to write instead. Holds no value of a variable and no header. */
  message: string;
  /** The variable that lacks a value, where nothing else is wrong here. */
  variable?: string;
}

/** A configuration file that cannot be used (code `config`): everything that is wrong in it. */
export class ConfigError extends LongwireError {
  override readonly name: string = 'ConfigError';
  /** What is wrong, in the order of the file; never empty. */
  readonly problems: readonly ConfigProblem[];

  constructor(message: string, options: { problems: readonly ConfigProblem[]; cause?: unknown }) {
    const { problems, ...rest } = options;
    super(message, { code: 'config', certainty: 'not-sent', ...rest });
    this.problems = problems;
  }
}
