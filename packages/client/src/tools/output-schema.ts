import type { CallToolResult } from '@modelcontextprotocol/client';
import { ToolResultError } from '../errors.js';
import { JsonSchema } from '../untrusted/json-schema.js';

/**
 * What one tool was listed to answer with. The schema is compiled when the tool first answers. One
 * that cannot be used, or not in time, is reported once, and checks nothing.
 *
 * "Clients SHOULD validate structured results against this schema."
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/server/tools#output-schema
 */
export class OutputSchema {
  readonly #tool: string;
  readonly #listed: unknown;
  #compiled: JsonSchema | undefined;
  #isReported = false;

  constructor(tool: string, listed: unknown) {
    this.#tool = tool;
    this.#listed = listed;
  }

  /**
   * Checks a result, unless it is an error of the tool's. `onUnchecked` is called once, with why the
   * schema cannot be used.
   *
   * @throws ToolResultError, with the result on it.
   */
  async check(result: CallToolResult, onUnchecked: (reason: string) => void): Promise<void> {
    if (result.isError === true) return;
    if (result.structuredContent === undefined) {
      throw this.#broken('it promised structured content, and there is none', result);
    }
    this.#compiled ??= new JsonSchema(this.#listed);
    const checked = this.#compiled.check(result.structuredContent);
    const outcome = checked instanceof Promise ? await checked : checked;
    if (outcome.kind === 'invalid') {
      const where = outcome.path === '' ? 'it' : outcome.path;
      throw this.#broken(`${where} ${outcome.message}`, result);
    }
    if (outcome.kind === 'unchecked' && !this.#isReported) {
      this.#isReported = true;
      onUnchecked(outcome.reason);
    }
  }

  #broken(how: string, result: CallToolResult): ToolResultError {
    return ranButAnswered(
      this.#tool,
      `the result is not what its output schema promises: ${how}`,
      result,
    );
  }
}

/** The tool ran, and its answer is not what it should be. */
export function ranButAnswered(
  tool: string,
  how: string,
  result: CallToolResult,
  cause?: unknown,
): ToolResultError {
  return new ToolResultError(`the tool ${tool} ran and answered, but ${how}`, {
    result,
    hint: 'do not call it again for that: the result is in `error.result`',
    ...(cause !== undefined && { cause }),
  });
}
