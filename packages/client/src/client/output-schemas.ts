import {
  fromJsonSchema,
  type CallToolResult,
  type JsonSchemaType,
  type StandardSchemaV1,
  type Tool,
} from '@modelcontextprotocol/client';
import { LongwireError } from '../errors.js';

/**
 * What tools were listed to answer with, and whether they do. A schema is compiled when its tool
 * first answers; one that cannot be compiled is reported once, and checks nothing.
 *
 * "Clients SHOULD validate structured results against this schema."
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/server/tools#output-schema
 */
export class OutputSchemas {
  #schemas = new Map<string, unknown>();
  readonly #compiled = new Map<string, StandardSchemaV1 | undefined>();

  /** Takes a new list of tools; nothing is left of the one before. */
  learn(tools: readonly Tool[]): void {
    this.#compiled.clear();
    this.#schemas = new Map(
      tools
        .filter(({ outputSchema }) => outputSchema !== undefined)
        .map(({ name, outputSchema }) => [name, outputSchema]),
    );
  }

  /** Whether a tool promised a structure. */
  has(tool: string): boolean {
    return this.#schemas.has(tool);
  }

  /**
   * Checks a result against what its tool promised. A tool's error need not keep the promise.
   * `onBroken` is told of a schema that cannot be used.
   *
   * @throws LongwireError `protocol`, `answered`
   */
  async check(
    tool: string,
    result: CallToolResult,
    onBroken: (error: LongwireError) => void,
  ): Promise<CallToolResult> {
    const schema = this.#schemaOf(tool, onBroken);
    if (schema === undefined || result.isError === true) return result;
    if (result.structuredContent === undefined) {
      throw broken(tool, 'it promised structured content, and there is none');
    }
    const { issues } = await schema['~standard'].validate(result.structuredContent);
    if (issues !== undefined) throw broken(tool, issues.map(({ message }) => message).join('; '));
    return result;
  }

  #schemaOf(tool: string, onBroken: (error: LongwireError) => void): StandardSchemaV1 | undefined {
    if (!this.#compiled.has(tool) && this.#schemas.has(tool)) {
      let schema: StandardSchemaV1 | undefined;
      try {
        schema = fromJsonSchema(this.#schemas.get(tool) as JsonSchemaType);
      } catch (cause) {
        onBroken(
          new LongwireError(`the output schema of ${tool} cannot be used, and is not checked`, {
            code: 'protocol',
            certainty: 'answered',
            cause,
          }),
        );
      }
      this.#compiled.set(tool, schema);
    }
    return this.#compiled.get(tool);
  }
}

function broken(tool: string, how: string): LongwireError {
  return new LongwireError(`the result of ${tool} is not what its output schema promises: ${how}`, {
    code: 'protocol',
    certainty: 'answered',
  });
}
