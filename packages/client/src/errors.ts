import type { CallToolResult, JSONValue } from '@modelcontextprotocol/client';

/** What went wrong, as a closed set. Programs decide by it and by {@link Certainty}, never by text. */
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
  | 'tool-error'
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

/** What an {@link ErrorCode} means. */
export interface ErrorCodeMeaning {
  /** What happened. */
  what: string;
  /** Which certainties an error of this code can have. */
  certainties: readonly Certainty[];
  /** What a program, or a person, does next. */
  todo: string;
}

/**
 * Every code, what it means, and what to do. The documentation's table of error codes is made from it.
 *
 * A request that was sent, lost with its connection and then failed by any other code is
 * `outcome-unknown`: it may have run the first time.
 */
export const ERROR_CODES: Readonly<Record<ErrorCode, ErrorCodeMeaning>> = {
  'connect-failed': {
    what: 'No connection: refused, no such host, TLS, a program that does not start, a handshake that fails.',
    certainties: ['not-sent', 'refused', 'outcome-unknown'],
    todo: 'Check that the server runs, and its address. `tried` lists every probe.',
  },
  'connect-timeout': {
    what: 'The handshake did not end within `timeouts.connectMs`.',
    certainties: ['not-sent', 'outcome-unknown'],
    todo: 'Call again later, or raise `timeouts.connectMs`.',
  },
  'not-mcp': {
    what: 'Something answers at this address, but not in a protocol that the client may speak.',
    certainties: ['not-sent', 'refused', 'outcome-unknown'],
    todo: 'Check the URL. Check `transport` and `protocol` if they are set.',
  },
  unauthorized: {
    what: '401, or no credentials could be got.',
    certainties: ['not-sent', 'refused', 'outcome-unknown'],
    todo: 'Get credentials (`headers`, `auth`), then call again.',
  },
  forbidden: {
    what: '403: the credentials are known and do not allow this.',
    certainties: ['not-sent', 'refused', 'outcome-unknown'],
    todo: 'Ask for more rights. Do not repeat the call as it is.',
  },
  'http-status': {
    what: 'Another HTTP status that is an error. `status` and `excerpt` say which.',
    certainties: ['not-sent', 'refused', 'outcome-unknown'],
    todo: '4xx: change the request. 5xx: ask the server what happened.',
  },
  'connection-lost': {
    what: 'The connection was lost during the call, or there is none now.',
    certainties: ['not-sent', 'refused', 'outcome-unknown'],
    todo: '`outcome-unknown`: look at the server before you call again. Others: call again.',
  },
  timeout: {
    what: 'No answer and no progress came for `timeoutMs`.',
    certainties: ['not-sent', 'refused', 'answered', 'outcome-unknown'],
    todo: 'Raise `timeoutMs`, or let the tool report progress.',
  },
  deadline: {
    what: 'The call did not end within `deadlineMs`.',
    certainties: ['not-sent', 'refused', 'answered', 'outcome-unknown'],
    todo: 'Raise `deadlineMs`.',
  },
  aborted: {
    what: 'The `signal` of the call ended it, or its task was cancelled.',
    certainties: ['not-sent', 'refused', 'answered', 'outcome-unknown'],
    todo: 'Nothing, if the program asked for it.',
  },
  closed: {
    what: 'The client was closed, or its SDK `Client` cannot follow the server to another protocol version.',
    certainties: ['not-sent', 'refused', 'answered', 'outcome-unknown'],
    todo: 'Call again: a client connects anew. With a transport of your own, make a new one.',
  },
  protocol: {
    what: 'The server broke the protocol. A `ToolResultError` has the result of a tool that ran.',
    certainties: ['not-sent', 'refused', 'answered', 'outcome-unknown'],
    todo: 'Report it to the server. `answered`: the tool ran; do not call it again for that.',
  },
  'tool-error': {
    what: 'The tool reported an error, and the call has it thrown (`throwOnToolError`, or a schema).',
    certainties: ['answered'],
    todo: 'Read the message, and `result`. Calling again mostly gets the same answer.',
  },
  'server-error': {
    what: 'The server answered with a JSON-RPC error. `number` and `data` are its own.',
    certainties: ['answered', 'not-sent', 'refused', 'outcome-unknown'],
    todo: 'Read the message and `data`. Calling again mostly gets the same answer.',
  },
  'limit-exceeded': {
    what: 'A limit of `limits`, or of a middleware, was passed.',
    certainties: ['not-sent', 'refused', 'answered', 'outcome-unknown'],
    todo: 'Ask for less, or raise the limit that the message names.',
  },
  'queue-full': {
    what: 'Too many requests are in flight or wait.',
    certainties: ['not-sent'],
    todo: 'Wait for some, then call again.',
  },
  'invalid-arguments': {
    what: 'The arguments cannot be sent, or do not fit the schema of the tool.',
    certainties: ['not-sent'],
    todo: 'Change the arguments.',
  },
  'unknown-tool': {
    what: 'No server here has such a tool, or the configuration excludes it.',
    certainties: ['not-sent'],
    todo: 'Take the name that the message offers, or list the tools.',
  },
  config: {
    what: 'An option, a configuration file or a middleware is wrong. A `ConfigError` has `problems`.',
    certainties: ['not-sent', 'refused', 'answered', 'outcome-unknown'],
    todo: 'Correct what the message names.',
  },
};

/** What a {@link LongwireError} has beside its message. */
export interface LongwireErrorOptions {
  code: ErrorCode;
  certainty: Certainty;
  /** What to try, in the words of this library's options. */
  hint?: string | undefined;
  /** The task that the call has become. */
  taskId?: string | undefined;
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
  /** The task that the call had become, if it had: `client.task(taskId)` takes it up again. */
  readonly taskId: string | undefined;

  constructor(summary: string, options: LongwireErrorOptions) {
    const { code, certainty, hint, taskId } = options;
    const message = hint === undefined ? summary : `${summary}; ${hint}`;
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.certainty = certainty;
    this.summary = summary;
    this.hint = hint;
    this.taskId = taskId;
  }
}

/** Says which task the call of an error had become, if that is not said yet. */
export function noteTask(error: unknown, taskId: string): void {
  if (!(error instanceof LongwireError) || error.taskId !== undefined) return;
  // A program may have frozen it.
  Reflect.set(error, 'taskId', taskId);
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
  /** The JSON-RPC error's own message. */
  readonly serverMessage: string | undefined;

  constructor(
    message: string,
    options: {
      number: number;
      data?: unknown;
      serverMessage?: string;
      /** Default `answered`. */
      certainty?: Certainty;
      hint?: string | undefined;
      taskId?: string | undefined;
      cause?: unknown;
    },
  ) {
    const { number, data, serverMessage, ...rest } = options;
    super(message, { code: 'server-error', certainty: 'answered', ...rest });
    this.number = number;
    this.data = data as JSONValue | undefined;
    this.serverMessage = serverMessage;
  }
}

/**
 * A tool ran and answered, but the answer is not what it should be (certainty `answered`). The call must
 * not be made again for that.
 *
 * - `protocol`: it misses the tool's output schema, or the schema of the call, or is no object.
 * - `tool-error`: the tool reports an error, and the call wants that thrown.
 * - `timeout`, `deadline`: the schema of the call did not say in time what it makes of the answer.
 */
export class ToolResultError extends LongwireError {
  override readonly name: string = 'ToolResultError';
  /** What the tool answered, in the form of a result: what was no content block is text. */
  readonly result: CallToolResult;

  constructor(
    message: string,
    options: {
      result: CallToolResult;
      code?: 'protocol' | 'tool-error' | 'timeout' | 'deadline';
      hint?: string;
      cause?: unknown;
    },
  ) {
    const { result, ...rest } = options;
    super(message, { code: 'protocol', certainty: 'answered', ...rest });
    this.result = result;
  }
}

/** One thing that was tried to find a server, and what came of it. */
export interface ProbeResult {
  /** Where, without the query. */
  url: string;
  /** What came back. */
  outcome: string;
}

/** A connect attempt that found no MCP server: what was tried, and what came back. */
export class ConnectError extends LongwireError {
  override readonly name: string = 'ConnectError';
  /** Everything that was tried, in order, with what came of it. */
  readonly tried: readonly ProbeResult[];

  constructor(
    message: string,
    options: Omit<LongwireErrorOptions, 'certainty'> & {
      tried: readonly ProbeResult[];
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
  /** The variable that lacks a value, where nothing else is wrong here; `input:ID` for `${input:ID}`. */
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
