import type { CallToolResult } from '@modelcontextprotocol/client';
import { noteTask, ToolResultError } from '../errors.js';
import { unlessAborted } from '../middleware/waiting.js';
import { ranButAnswered } from '../tools/output-schema.js';
import { parseExactJson } from '../untrusted/exact-json.js';
import { quoted } from '../untrusted/excerpt.js';
import { DEFAULT_JSON_BOUNDS } from '../untrusted/json.js';
import {
  isStandardSchema,
  type StandardSchema,
  type StandardSchemaIssue,
  type StandardSchemaResult,
} from './standard-schema.js';
import type { CallTimeouts, CallToolOptions } from './types.js';

/** A result whose data a schema of the program has checked. */
export type ResultWithData<Data> = CallToolResult & {
  /** What the schema made of the structured content, or of the JSON in the text. */
  data: Data;
};

const NO_DATA = 'no structured content, and no JSON as its one text';
/** How much of what a tool says is in a message. */
const MAX_SAID = 500;
/** How much of what a schema says is in a message. */
const MAX_ISSUES = 3;
const MAX_ISSUE = 200;

/** A timer of Node's that is to wait for longer does not wait at all. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** How long a call may take. */
interface Limits {
  timeoutMs: number;
  /** On the clock of `performance.now()`. */
  deadlineAt: number;
}

/** How the data of a result is checked. */
interface Check extends Limits {
  schema: StandardSchema;
  signal: AbortSignal | undefined;
}

/** The task that a call had become, by its result. */
export const resultTasks: WeakMap<CallToolResult, string> = new WeakMap();

/** The text of a result: all its text parts, with a line break between them. */
export function textOf({ content }: Pick<CallToolResult, 'content'>): string {
  return content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n');
}

/**
 * The data of a result: its structured content, else the JSON that its one text part is. It is of the
 * type that the program has for the tool (see `ToolTypes`), else `unknown`. An integer that a number would
 * change is a `bigint`, as in structured content.
 *
 * @throws ToolResultError `tool-error` if the tool reports an error, `protocol` if there is no data.
 */
export function dataOf<Data>(result: CallToolResult & { structuredContent?: Data }): Data {
  if (result.isError === true) throw toolError('the tool', result);
  const found = findData(result);
  if (found !== undefined) return found.data as Data;
  throw new ToolResultError(`the result has ${NO_DATA}`, { result });
}

/**
 * Makes a call, whose result is then as its options want it: an error of the tool's is thrown, and data
 * is checked. That is the end of the call: what counts, repeats or keeps calls knows nothing of it.
 *
 * @throws ToolResultError, with the result; TypeError for a `result` that is no schema.
 */
export function callAsWanted(
  tool: string,
  { options, timeouts }: { options: CallToolOptions; timeouts: CallTimeouts },
  call: (options: CallToolOptions) => Promise<CallToolResult>,
): Promise<CallToolResult> {
  const { result: schema, throwOnToolError } = options;
  if (schema === undefined && throwOnToolError !== true) return call(options);
  const { result: _, ...rest } = options;
  const { signal, timeoutMs = timeouts.callMs, deadlineMs = timeouts.deadlineMs } = options;
  const deadlineAt = performance.now() + deadlineMs;
  return checkSchema(schema)
    .then(() => call(rest))
    .then(async (result) => {
      try {
        if (result.isError === true) throw toolError(`the tool ${tool}`, result);
        if (schema === undefined) return result;
        const limits = { schema, signal, timeoutMs, deadlineAt };
        return { ...result, data: await checked(tool, result, limits) };
      } catch (error) {
        const taskId = resultTasks.get(result);
        if (taskId !== undefined) noteTask(error, taskId);
        throw error;
      }
    });
}

async function checkSchema(schema: unknown): Promise<void> {
  if (schema === undefined || isStandardSchema(schema)) return;
  throw new TypeError(
    'result: not a schema with `~standard`, as zod, valibot and arktype make them',
  );
}

async function checked(
  tool: string,
  result: CallToolResult,
  { schema, signal, ...limits }: Check,
): Promise<unknown> {
  const found = findData(result);
  if (found === undefined) {
    throw ranButAnswered(tool, `its result has ${NO_DATA}`, result);
  }
  const validated = validate(schema, found.data);
  // It may ask somebody, and never be told.
  const timely = inTime(validated, { tool, result, ...limits });
  const ended = signal === undefined ? timely : unlessAborted(timely, signal);
  const outcome = await ended.catch((error: unknown) => {
    if (error instanceof ToolResultError) throw error;
    throw ranButAnswered(tool, 'the schema of the call failed on its result', result, error);
  });
  if (outcome.issues === undefined) return outcome.value;
  const issues = outcome.issues.slice(0, MAX_ISSUES).map(issueText).join('; ');
  const more = outcome.issues.length - MAX_ISSUES;
  const how = `its result does not fit the schema of the call: ${issues}`;
  throw ranButAnswered(tool, more > 0 ? `${how}; and ${more} more` : how, result);
}

/** Waits for a check, as long as its call has time: the answer was a sign of life. */
async function inTime<T>(
  check: Promise<T>,
  { tool, result, timeoutMs, deadlineAt }: { tool: string; result: CallToolResult } & Limits,
): Promise<T> {
  const leftMs = deadlineAt - performance.now();
  const isIdle = timeoutMs < leftMs;
  const ms = Math.min(timeoutMs, leftMs, MAX_TIMER_MS);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const how = isIdle ? `for ${timeoutMs} ms` : 'by the deadline of the call';
      const what = `the tool ${tool} ran and answered, but the schema of the call said nothing ${how}`;
      const hint = 'do not call it again for that: the result is in `error.result`';
      reject(new ToolResultError(what, { code: isIdle ? 'timeout' : 'deadline', result, hint }));
    }, ms);
  });
  try {
    return await Promise.race([check, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function validate(
  schema: StandardSchema,
  data: unknown,
): Promise<StandardSchemaResult<unknown>> {
  return schema['~standard'].validate(data);
}

function issueText({ message, path = [] }: StandardSchemaIssue): string {
  const where = path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
  return (where === '' ? message : `${where}: ${message}`).slice(0, MAX_ISSUE);
}

function findData(result: CallToolResult): { data: unknown } | undefined {
  if (result.structuredContent !== undefined) return { data: result.structuredContent };
  const [only, ...others] = result.content.filter(({ type }) => type === 'text');
  if (only?.type !== 'text' || others.length > 0) return undefined;
  try {
    return { data: parseExactJson(only.text, DEFAULT_JSON_BOUNDS) };
  } catch {
    return undefined;
  }
}

function toolError(tool: string, result: CallToolResult): ToolResultError {
  const said = textOf(result).trim();
  const more = said.length > MAX_SAID ? '…' : '';
  const how = said === '' ? ', and says nothing of it' : `: ${quoted(said, MAX_SAID)}${more}`;
  return new ToolResultError(`${tool} reported an error${how}`, { code: 'tool-error', result });
}
