import {
  INTERNAL_ERROR,
  type JSONRPCMessage,
  type JSONRPCResponse,
  type RequestId,
} from '@modelcontextprotocol/client';
import { LongwireError } from '../errors.js';
import { mayChange, parseExactJson } from '../untrusted/exact-json.js';
import { quoted } from '../untrusted/excerpt.js';
import { isObject } from '../untrusted/is-object.js';
import {
  answeredIdIn,
  DEFAULT_JSON_BOUNDS,
  parseJson,
  type JsonBounds,
} from '../untrusted/json.js';

/** What a text of JSON-RPC turned out to be. */
export type ReadMessage =
  | { message: JSONRPCMessage; error?: undefined; answerTo?: undefined }
  /** Not a message. With `answerTo` it was meant as the answer to that request. */
  | { message: undefined; error: LongwireError; answerTo: RequestId | undefined };

/** The result of an answer is no object. `result` has what it is instead. */
export class OddResultError extends LongwireError {
  override readonly name: string = 'LongwireError';
  readonly result: unknown;

  constructor(summary: string, result: unknown) {
    super(summary, { code: 'protocol', certainty: 'answered' });
    this.result = result;
  }
}

/** How a message is read. */
export interface ReadOptions {
  /** What it may hold. Default: the defaults of `limits`. */
  bounds?: JsonBounds | undefined;
  /**
   * An error without an id is the answer to this request, where one request alone can be meant: it
   * "MUST be null" if the server could not read the id.
   */
  orphansOf?: RequestId | undefined;
}

/** The most of a message that an error quotes. */
const EXCERPT_LENGTH = 200;

const RELATED_TASK_KEY = 'io.modelcontextprotocol/related-task';

/**
 * Reads one JSON-RPC message. Checks its shape alone; whoever sent the request checks the content.
 *
 * @see https://www.jsonrpc.org/specification
 */
export function readMessage(text: string, options: ReadOptions = {}): ReadMessage {
  let value: unknown;
  try {
    value = parseJson(text, options.bounds ?? DEFAULT_JSON_BOUNDS);
  } catch (cause) {
    return unparsed(text, cause);
  }
  return toMessage(exactly(value, text), () => text, options.orphansOf);
}

/**
 * As `readMessage`, of a text that may be a batch: "MCP implementations … MUST support receiving
 * JSON-RPC batches". `take` gets the text with a message that is alone in it.
 *
 * @see https://modelcontextprotocol.io/specification/2025-03-26/basic#batching
 */
export function readMessages(
  text: string,
  take: (read: ReadMessage, text?: string) => void,
  options: ReadOptions = {},
): void {
  let value: unknown;
  try {
    value = parseJson(text, options.bounds ?? DEFAULT_JSON_BOUNDS);
  } catch (cause) {
    take(unparsed(text, cause), text);
    return;
  }
  const quote = (): string => text;
  if (!Array.isArray(value) || !value.some((each) => isObject(each))) {
    take(toMessage(exactly(value, text), quote, options.orphansOf), text);
    return;
  }
  if (value.length > MAX_BATCH) {
    take(tooMany(value.length));
    return;
  }
  let isReported = false;
  for (const each of exactly(value, text) as unknown[]) {
    const read = toMessage(each, quote, options.orphansOf);
    const isNothing = read.message === undefined && read.answerTo === undefined;
    // Once for one text.
    if (!isNothing || !isReported) take(read);
    isReported ||= isNothing;
  }
}

/** Reading so many takes less than a second. */
const MAX_BATCH = 10_000;

function tooMany(count: number): ReadMessage {
  const summary = `the server sent a batch of ${count} messages, which is more than ${MAX_BATCH}`;
  const error = new LongwireError(summary, {
    code: 'limit-exceeded',
    certainty: 'outcome-unknown',
  });
  return { message: undefined, error, answerTo: undefined };
}

/** Notifications whose numbers are our ids and counts. */
const COUNTING: ReadonlySet<unknown> = new Set([
  'notifications/progress',
  'notifications/cancelled',
]);

/**
 * A message or a batch, with integers as they were written in the program's data: results of tools
 * and parameters of notifications. Everywhere else numbers are numbers, as for the SDK: in ids, and in
 * lists of tools, where `maximum` is often the largest integer.
 */
function exactly(value: unknown, text: string): unknown {
  const hasData = Array.isArray(value) ? value.some(keyOfData) : keyOfData(value) !== undefined;
  if (!hasData || !mayChange(text)) return value;
  const exact = parseExactJson(text, NO_BOUNDS);
  if (!Array.isArray(value)) return withDataOf(exact, value);
  return value.map((one: unknown, index) => withDataOf((exact as unknown[])[index], one));
}

/** A message with the data of another one that was read from the same text. */
function withDataOf(exact: unknown, message: unknown): unknown {
  const key = keyOfData(message);
  if (key === undefined || !isObject(message) || !isObject(exact)) return message;
  message[key] = exact[key];
  return message;
}

/** The bounds were checked before. */
const NO_BOUNDS: JsonBounds = { maxJsonDepth: Infinity, maxJsonValues: Infinity };

/** The property of a message that is the program's data. */
function keyOfData(message: unknown): 'result' | 'params' | undefined {
  if (!isObject(message)) return undefined;
  const { method, result, id } = message;
  if (isObject(result)) {
    const isOfTool = 'content' in result || 'structuredContent' in result || 'toolResult' in result;
    return isOfTool ? 'result' : undefined;
  }
  const isTold = typeof method === 'string' && id === undefined && !COUNTING.has(method);
  return isTold && isObject(message['params']) ? 'params' : undefined;
}

/**
 * As `readMessages`, of a text that may be no message, such as an event with another name. Takes
 * answers alone: they belong to a request or to nobody.
 */
export function readAnswers(
  text: string,
  take: (answer: JSONRPCResponse, text?: string) => void,
  options: ReadOptions,
): void {
  if (!text.includes('"jsonrpc"')) return;
  readMessages(
    text,
    ({ message }, alone) => {
      if (message !== undefined && isAnswer(message)) take(message, alone);
    },
    options,
  );
}

/**
 * Makes a message of a value, in the one form that the SDK's `Client` accepts: it drops any other
 * silently. A value with a clear meaning is repaired (a further property, `_meta` or `error` of null,
 * an error code that is no integer); any other is no message. `quote` gives its text for errors.
 */
export function toMessage(value: unknown, quote: () => string, orphansOf?: RequestId): ReadMessage {
  if (!isObject(value)) return unreadable(quote());
  const { jsonrpc, method } = value;
  // With a result or an error it is an answer, even if it repeats the method.
  const isAnswer = (value['result'] ?? value['error'] ?? null) !== null;
  if ((method ?? null) !== null && !isAnswer) {
    const message =
      jsonrpc === '2.0' && typeof method === 'string' ? toRequest(value, method) : undefined;
    return message === undefined ? unreadable(quote()) : { message };
  }
  const isOrphan = (value['id'] ?? null) === null && value['error'] !== undefined;
  const id = isOrphan && orphansOf !== undefined ? orphansOf : ourId(value['id']);
  if (!isId(id)) return unreadable(quote());
  const message = jsonrpc === '2.0' ? toAnswer(value, id) : undefined;
  if (message !== undefined) return { message };
  const isOdd = jsonrpc === '2.0' && 'result' in value && (value['error'] ?? null) === null;
  if (!isOdd || isObject(value['result'])) return unreadable(quote(), id);
  const summary = `the server answered with a result that is no object: ${excerptOf(quote())}`;
  return { message: undefined, error: new OddResultError(summary, value['result']), answerTo: id };
}

/** A request or a notification. An `id` of null is none if the method is that of a notification. */
function toRequest(value: Record<string, unknown>, method: string): JSONRPCMessage | undefined {
  const { id, params } = value;
  const isNotification = id === undefined || (id === null && method.startsWith('notifications/'));
  if (!isNotification && !isId(id)) return undefined;
  const repaired = toParams(params);
  const expected =
    2 + (id === undefined ? 0 : 1) + ('params' in value && params !== undefined ? 1 : 0);
  if (repaired === params && id !== null && hasOnly(value, expected)) {
    return value as unknown as JSONRPCMessage;
  }
  return {
    jsonrpc: '2.0',
    method,
    ...(!isNotification && { id }),
    ...(repaired !== undefined && { params: repaired }),
  } as JSONRPCMessage;
}

/** Parameters are an object or missing; whoever answers the request reports what it lacks. */
function toParams(params: unknown): Record<string, unknown> | undefined {
  if (!isObject(params)) return undefined;
  const { _meta: meta } = params;
  if (meta === undefined) return params;
  const { _meta: _, ...rest } = params;
  if (!isObject(meta)) return rest;
  const { progressToken, [RELATED_TASK_KEY]: task, ...others } = meta;
  const isTokenValid = progressToken === undefined || isWholeId(progressToken);
  const isTaskValid = task === undefined || (isObject(task) && typeof task['taskId'] === 'string');
  if (isTokenValid && isTaskValid) return params;
  return {
    ...rest,
    _meta: {
      ...others,
      ...(isTokenValid && progressToken !== undefined && { progressToken }),
      ...(isTaskValid && task !== undefined && { [RELATED_TASK_KEY]: task }),
    },
  };
}

function toAnswer(value: Record<string, unknown>, id: RequestId): JSONRPCResponse | undefined {
  const { error, result } = value;
  if (isObject(result) && (error === undefined || error === null)) {
    const isMetaValid = result['_meta'] === undefined || isObject(result['_meta']);
    if (isMetaValid && value['id'] === id && hasOnly(value, 3)) {
      return value as unknown as JSONRPCResponse;
    }
    const { _meta: _, ...rest } = result;
    return { jsonrpc: '2.0', id, result: isMetaValid ? result : rest };
  }
  if ((result ?? null) !== null || !isObject(error) || typeof error['message'] !== 'string') {
    return undefined;
  }
  const { code, message, data } = error;
  if (Number.isSafeInteger(code) && value['id'] === id && hasOnly(value, 3)) {
    return value as unknown as JSONRPCResponse;
  }
  return {
    jsonrpc: '2.0',
    id,
    error: Number.isSafeInteger(code)
      ? (error as { code: number; message: string })
      : { message, ...integerCode(code, data) },
  };
}

/** An error code is an integer; what the server sent instead is kept beside the data. */
function integerCode(code: unknown, data: unknown): { code: number; data?: unknown } {
  const written = typeof code === 'string' && /^-?\d{1,15}$/.test(code) ? Number(code) : undefined;
  if (written !== undefined) return { code: written, ...(data !== undefined && { data }) };
  return {
    code: INTERNAL_ERROR,
    data: { originalCode: code ?? null, ...(data !== undefined && { data }) },
  };
}

/** Whether a message is an answer. */
export function isAnswer(message: JSONRPCMessage): message is JSONRPCResponse {
  return !('method' in message);
}

/** Whether an object has so many properties. */
function hasOnly(value: object, count: number): boolean {
  let properties = 0;
  for (const _ in value) properties++;
  return properties === count;
}

function isId(value: unknown): value is RequestId {
  return typeof value === 'string' || typeof value === 'number';
}

/** An answer with the id of a request of ours. One about the session has the id `null`, or another. */
const OUR_ANSWER =
  /"jsonrpc"\s*:\s*"2\.0".*"id"\s*:\s*"?\d|"id"\s*:\s*"?\d.*"jsonrpc"\s*:\s*"2\.0"/;

/** Whether a text, or the beginning of one, may be the answer to a request of ours. */
export function mayAnswerRequest(text: string): boolean {
  return OUR_ANSWER.test(text);
}

/**
 * An id of ours as a server repeats it. All our ids are integers, so that the same digits as a string
 * can only mean the same request.
 */
export function ourId(id: unknown): unknown {
  return typeof id === 'string' && /^(0|[1-9]\d{0,14})$/.test(id) ? Number(id) : id;
}

function isWholeId(value: unknown): boolean {
  return typeof value === 'string' || Number.isSafeInteger(value);
}

/** A text over a bound is still the answer to a request if it names the request. */
function unparsed(text: string, cause: unknown): ReadMessage {
  if (!(cause instanceof LongwireError)) return unreadable(text, undefined, cause);
  const answerTo = ourId(answeredIdIn(text)) as RequestId | undefined;
  if (answerTo === undefined) return { message: undefined, error: cause, answerTo };
  const { summary, code, hint } = cause;
  const error = new LongwireError(summary, { code, certainty: 'answered', hint });
  return { message: undefined, error, answerTo };
}

function excerptOf(text: string): string {
  return quoted(text, EXCERPT_LENGTH);
}

function unreadable(text: string, answerTo?: RequestId, cause?: unknown): ReadMessage {
  const error = new LongwireError(
    `the server sent something that is not a JSON-RPC message: ${excerptOf(text)}`,
    {
      code: 'protocol',
      certainty: answerTo === undefined ? 'outcome-unknown' : 'answered',
      ...(cause !== undefined && { cause }),
    },
  );
  return { message: undefined, error, answerTo };
}
