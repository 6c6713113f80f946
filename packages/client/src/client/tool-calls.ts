import type { CallToolResult, Client, Result, Tool } from '@modelcontextprotocol/client';
import { backChannelHint } from '../connection/back-channel.js';
import { requestContext, type RequestContext } from '../connection/request-context.js';
import { OddResultError } from '../channels/message.js';
import type { ReconnectingTransport } from '../connection/transport.js';
import { LongwireError, ServerError } from '../errors.js';
import { isObject } from '../untrusted/is-object.js';
import {
  LegacyTaskCalls,
  type CallBeforeTask,
  type CallParams,
  type LegacyTaskCallsOptions,
} from '../tasks/legacy-calls.js';
import type { ToolCatalog } from '../tools/catalog.js';
import { noResultObject, toCallToolResult } from './results.js';
import { NEVER_MS } from './sdk-client.js';
import { fromSdkError } from './sdk-errors.js';

/** Headers and body of a call do not say the same: the tool is another than the one listed. */
const HEADER_MISMATCH = -32020;

/** A call with time limits of its own. */
export type LimitedCall = CallBeforeTask;

/** What calls of tools are made with. */
export interface ToolCallsOptions extends LegacyTaskCallsOptions {
  /** Does something with the SDK's `Client`, once it is attached. */
  throughSdk: <T>(send: (sdk: Client) => Promise<T>) => Promise<T>;
  /** Given what fails and belongs to no call. */
  report: (error: unknown) => void;
}

/**
 * Calls tools by requests of our own. Through the SDK's `Client` where that does more: a tool wants
 * arguments in headers, too, or a server asks for something before it answers.
 */
export class ToolCalls {
  readonly #catalog: ToolCatalog;
  readonly #legacyTasks: LegacyTaskCalls;
  readonly #throughSdk: ToolCallsOptions['throughSdk'];
  readonly #report: (error: unknown) => void;

  constructor({ throughSdk, report, ...options }: ToolCallsOptions) {
    this.#catalog = options.catalog;
    this.#legacyTasks = new LegacyTaskCalls(options);
    this.#throughSdk = throughSdk;
    this.#report = report;
  }

  /**
   * Calls a tool. What is corrected in its result is reported.
   *
   * @throws LongwireError
   */
  async call(
    connection: ReconnectingTransport,
    params: CallParams,
    context: LimitedCall,
  ): Promise<CallToolResult> {
    if (!isObject(params.arguments)) throw noArguments(params.name);
    try {
      const headerTool = this.#catalog.headerTool(params.name);
      if (headerTool !== undefined) return await this.#callBySdk(params, context, headerTool);
      const result = await this.#legacyTasks.call(connection, params, context);
      if (result['isError'] === true) this.#reportIfItCannotAsk(params.name, result);
      if (result['resultType'] !== 'input_required') return this.#read(params, result);
      context.prior = { jsonrpc: '2.0', id: 0, result };
      return await this.#callBySdk(params, context);
    } catch (error) {
      const failed = failureOf(error, params.name, context);
      const isMismatch = failed instanceof ServerError && failed.number === HEADER_MISMATCH;
      // In the legacy era the number is any server's to use, for what it has done, too.
      if (!isMismatch || connection.era !== 'modern') throw failed;
      return await this.#callBySdk(params, context).catch((again: unknown) => {
        throw failureOf(again, params.name, context);
      });
    }
  }

  /** Some servers say in a tool's result that it cannot ask. The result is the program's, too. */
  #reportIfItCannotAsk(tool: string, { content }: Result): void {
    const [first] = Array.isArray(content) ? (content as unknown[]) : [];
    const { text } = (first ?? {}) as { text?: unknown };
    const hint = backChannelHint(text);
    if (hint === undefined) return;
    const summary = `${tool} could not ask this program: ${String(text)}`;
    this.#report(new LongwireError(summary, { code: 'protocol', certainty: 'answered', hint }));
  }

  #read({ name }: CallParams, result: Result): CallToolResult {
    return toCallToolResult(complete(result), name, this.#report);
  }

  async #callBySdk(
    params: CallParams,
    context: LimitedCall,
    toolDefinition?: Tool,
  ): Promise<CallToolResult> {
    const own = { ...params, [requestContext]: context };
    const called = this.#throughSdk((sdk) =>
      sdk.callTool(own, { timeout: NEVER_MS, ...(toolDefinition && { toolDefinition }) }),
    );
    try {
      // Whatever the `Client` makes of the answer, the call's time limits hold.
      const taken: Result = await context.before(called);
      return this.#read(params, completeResultOf(context) ?? taken);
    } catch (error) {
      const result = completeResultOf(context);
      // The `Client` does not take it, but the tool has run, and this is what it answered.
      if (result === undefined || context.abandoned !== undefined) throw error;
      return this.#read(params, result);
    }
  }
}

/** A list is an object to the compiler, and arguments have names. */
function noArguments(tool: string): LongwireError {
  return new LongwireError(`the arguments of ${tool} are not an object with a member for each`, {
    code: 'invalid-arguments',
    certainty: 'not-sent',
  });
}

/** Without what is of the wire alone: a complete result is what a caller gets in any case. */
function complete(result: Result): Result {
  if (result['resultType'] === undefined) return result;
  const { resultType: _, ...rest } = result;
  return rest;
}

/** The complete result that came for the `Client`, as the server sent it. */
function completeResultOf({ result }: RequestContext): Result | undefined {
  const type = result?.['resultType'];
  return type === undefined || type === 'complete' ? result : undefined;
}

function failureOf(error: unknown, tool: string, context: RequestContext): LongwireError {
  const failed = fromSdkError(error, `the call of ${tool}`, context);
  return failed instanceof OddResultError ? noResultObject(failed.result, tool, failed) : failed;
}
