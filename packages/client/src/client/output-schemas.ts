import type { CallToolResult, Tool } from '@modelcontextprotocol/client';
import { LongwireError, type ToolResultError } from '../errors.js';
import { JsonSchema } from '../untrusted/json-schema.js';
import { ranButAnswered } from './results.js';

/**
 * What tools were listed to answer with, and whether they do. A schema belongs to one tool of one list,
 * and is compiled when its tool first answers. One that cannot be used, or not in time, is reported
 * once, and checks nothing.
 *
 * "Clients SHOULD validate structured results against this schema."
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/server/tools#output-schema
 */
export class OutputSchemas {
  #schemas = new Map<string, unknown>();
  readonly #compiled = new Map<string, JsonSchema>();
  /** The tools of which it was said that their results are not checked. */
  readonly #reported = new Set<string>();

  /** Takes a new list of tools; nothing is left of the one before. */
  learn(tools: readonly Tool[]): void {
    this.#compiled.clear();
    this.#reported.clear();
    this.#schemas = new Map(
      tools
        // There are servers that write null for what they leave out.
        .filter(
          ({ outputSchema = null }: { outputSchema?: object | null | undefined }) =>
            outputSchema !== null,
        )
        .map(({ name, outputSchema }) => [name, outputSchema]),
    );
  }

  /** Whether a tool promised a structure. */
  has(tool: string): boolean {
    return this.#schemas.has(tool);
  }

  /**
   * Checks a result against what its tool promised. A tool's error need not keep the promise.
   * `onUnchecked` is told of a schema that cannot be used, once.
   *
   * @throws ToolResultError, with the result on it.
   */
  async check(
    tool: string,
    result: CallToolResult,
    onUnchecked: (error: LongwireError) => void,
  ): Promise<CallToolResult> {
    const schema = this.#schemaOf(tool);
    if (schema === undefined || result.isError === true) return result;
    if (result.structuredContent === undefined) {
      throw broken(tool, 'it promised structured content, and there is none', result);
    }
    const checked = schema.check(result.structuredContent);
    const verdict = checked instanceof Promise ? await checked : checked;
    if (verdict.kind === 'invalid') {
      const where = verdict.path === '' ? 'it' : verdict.path;
      throw broken(tool, `${where} ${verdict.message}`, result);
    }
    if (verdict.kind === 'unchecked' && this.#compiled.get(tool) === schema) {
      this.#report(tool, verdict.reason, onUnchecked);
    }
    return result;
  }

  #schemaOf(tool: string): JsonSchema | undefined {
    const known = this.#compiled.get(tool);
    if (known !== undefined || !this.#schemas.has(tool)) return known;
    const schema = new JsonSchema(this.#schemas.get(tool));
    this.#compiled.set(tool, schema);
    return schema;
  }

  #report(tool: string, reason: string, report: (error: LongwireError) => void): void {
    if (this.#reported.has(tool)) return;
    this.#reported.add(tool);
    report(
      new LongwireError(`a result of ${tool} is not checked by its output schema: ${reason}`, {
        code: 'protocol',
        certainty: 'answered',
      }),
    );
  }
}

function broken(tool: string, how: string, result: CallToolResult): ToolResultError {
  return ranButAnswered(tool, `the result is not what its output schema promises: ${how}`, result);
}
