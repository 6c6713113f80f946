import type { CallToolResult, Client, Result, Tool } from '@modelcontextprotocol/client';
import { backChannelHint } from '../connection/back-channel.js';
import { callMark, type CallMark } from '../connection/call-mark.js';
import type { Era } from '../channels/channel.js';
import { OddResultError } from '../channels/message.js';
import type { Connection } from '../connection/connection.js';
import { asksForHeaders, asksRightly } from '../connection/header-tools.js';
import { LongwireError, ServerError } from '../errors.js';
import type { Learned } from './learned.js';
import { noResultObject, toCallToolResult } from './results.js';
import { NEVER_MS } from './sdk-client.js';
import { fromSdkError } from './sdk-errors.js';

/** Headers and body of a call do not say the same: the tool is another than the one listed. */
const HEADER_MISMATCH = -32020;

/** A call with time limits of its own. */
export interface LimitedCall extends CallMark {
  /** Rejected when the call ends earlier. */
  before<T>(preparation: Promise<T>): Promise<T>;
}

/** What a call says. */
// An interface would have no index signature.
type CallParams = { name: string; arguments: Record<string, unknown> };

/** What calls of tools are made with. */
export interface ToolCallsOptions {
  learned: Learned;
  /** Does something with the SDK's `Client`, once it is attached. */
  throughSdk: <T>(send: (sdk: Client) => Promise<T>) => Promise<T>;
  /** Told of what fails and belongs to no call. */
  report: (error: unknown) => void;
}

/**
 * Calls tools by requests of our own, and through the SDK's `Client` where that does more: when a
 * tool wants arguments in headers, too, or a server asks for something before it answers.
 */
export class ToolCalls {
  /** What was learned when they were listed. */
  readonly learned: Learned;
  readonly #throughSdk: ToolCallsOptions['throughSdk'];
  readonly #report: (error: unknown) => void;

  constructor({ learned, throughSdk, report }: ToolCallsOptions) {
    this.learned = learned;
    this.#throughSdk = throughSdk;
    this.#report = report;
  }

  /**
   * Takes a new list of tools. In the modern era, those that ask for headers wrongly are left out,
   * and reported.
   */
  learn(tools: Tool[], era: Era | undefined): Tool[] {
    this.learned.outputSchemas.learn(tools);
    const isModern = era === 'modern';
    const usable = isModern ? tools.filter((tool) => asksRightly(tool.inputSchema)) : tools;
    const wanting = isModern ? usable.filter((tool) => asksForHeaders(tool.inputSchema)) : [];
    // What it promised is checked here, and not by the SDK, too.
    this.learned.mirrored = new Map(wanting.map((tool) => [tool.name, withoutOutputSchema(tool)]));
    if (usable.length < tools.length) this.#report(asksWrongly(tools, usable));
    return usable;
  }

  /**
   * Calls a tool. What is put right about its result is reported.
   *
   * @throws LongwireError
   */
  async call(
    connection: Connection,
    params: CallParams,
    mark: LimitedCall,
  ): Promise<CallToolResult> {
    try {
      const mirrored = this.learned.mirrored.get(params.name);
      if (mirrored !== undefined) return await this.#callBySdk(params, mark, mirrored);
      const result = await connection.request({ method: 'tools/call', params }, mark);
      if (result['isError'] === true) this.#tellIfItCannotAsk(params.name, result);
      if (result['resultType'] !== 'input_required') return this.#read(params, result);
      mark.prior = { jsonrpc: '2.0', id: 0, result };
      return await this.#callBySdk(params, mark);
    } catch (error) {
      const failed = failureOf(error, params.name, mark);
      const isMismatch = failed instanceof ServerError && failed.number === HEADER_MISMATCH;
      // In the legacy era the number is any server's to use, for what it has done, too.
      if (!isMismatch || connection.era !== 'modern') throw failed;
      return await this.#callBySdk(params, mark).catch((again: unknown) => {
        throw failureOf(again, params.name, mark);
      });
    }
  }

  /** That a tool cannot ask is told by some servers as its result, which is the program's. */
  #tellIfItCannotAsk(tool: string, { content }: Result): void {
    const [first] = Array.isArray(content) ? (content as unknown[]) : [];
    const { text } = (first ?? {}) as { text?: unknown };
    const hint = backChannelHint(text);
    if (hint === undefined) return;
    const summary = `${tool} could not ask this program: ${String(text)}`;
    this.#report(new LongwireError(summary, { code: 'protocol', certainty: 'answered', hint }));
  }

  /** Checks what a call came to against the `outputSchema` that its tool was listed with. */
  check(tool: string, result: CallToolResult): Promise<CallToolResult> {
    return this.learned.outputSchemas.check(tool, result, this.#report);
  }

  /** The tools changed: what they promised before is not known to go for them now. */
  forgetSchemas(): void {
    this.learned.outputSchemas.learn([]);
  }

  #read({ name }: CallParams, result: Result): CallToolResult {
    return toCallToolResult(complete(result), name, this.#report);
  }

  async #callBySdk(
    params: CallParams,
    mark: LimitedCall,
    toolDefinition?: Tool,
  ): Promise<CallToolResult> {
    const marked = { ...params, [callMark]: mark };
    const called = this.#throughSdk((sdk) =>
      sdk.callTool(marked, { timeout: NEVER_MS, ...(toolDefinition && { toolDefinition }) }),
    );
    try {
      // Whatever the `Client` makes of the answer, the call's time limits hold.
      const taken: Result = await mark.before(called);
      return this.#read(params, completeResultOf(mark) ?? taken);
    } catch (error) {
      const result = completeResultOf(mark);
      // The `Client` does not take it, but the tool has run, and this is what it answered.
      if (result === undefined || mark.abandoned !== undefined) throw error;
      return this.#read(params, result);
    }
  }
}

/** Without what is of the wire alone: a complete result is what a caller gets in any case. */
function complete(result: Result): Result {
  if (result['resultType'] === undefined) return result;
  const { resultType: _, ...rest } = result;
  return rest;
}

/** The complete result that came for the `Client`, as the server sent it. */
function completeResultOf({ result }: CallMark): Result | undefined {
  const type = result?.['resultType'];
  return type === undefined || type === 'complete' ? result : undefined;
}

function failureOf(error: unknown, tool: string, mark: CallMark): LongwireError {
  const failed = fromSdkError(error, `the call of ${tool}`, mark);
  return failed instanceof OddResultError ? noResultObject(failed.result, tool, failed) : failed;
}

/** Named are so many at most. */
const MAX_NAMED = 5;

function asksWrongly(tools: Tool[], usable: Tool[]): LongwireError {
  const right = new Set(usable);
  const wrong = tools.filter((tool) => !right.has(tool)).map(({ name }) => name);
  const more = wrong.length > MAX_NAMED ? ` and ${wrong.length - MAX_NAMED} more` : '';
  return new LongwireError(
    `tools that ask for headers in a way that is not allowed are left out: ` +
      `${wrong.slice(0, MAX_NAMED).join(', ')}${more}`,
    { code: 'protocol', certainty: 'answered' },
  );
}

function withoutOutputSchema(tool: Tool): Tool {
  const { outputSchema: _, ...rest } = tool;
  return rest;
}
