import type { CallToolResult, Tool } from '@modelcontextprotocol/client';
import { LongwireError } from '../errors.js';
import { nameList } from '../nearest.js';
import type { CallToolOptions, OperationOptions, ToolSource } from './types.js';

/** A handle on one tool of a server. */
export class ToolHandle {
  readonly name: string;
  readonly #source: Pick<ToolSource, 'listTools' | 'callTool'>;

  /** Use `client.tool(name)`. */
  constructor(source: Pick<ToolSource, 'listTools' | 'callTool'>, name: string) {
    this.#source = source;
    this.name = name;
  }

  /** Calls the tool; as `client.callTool`. */
  call(args?: Record<string, unknown>, options?: CallToolOptions): Promise<CallToolResult> {
    return this.#source.callTool(this.name, args, options);
  }

  /**
   * What the server says of the tool now.
   *
   * @throws LongwireError `unknown-tool` if it has none of this name.
   */
  async definition(options?: OperationOptions): Promise<Tool> {
    const tools = await this.#source.listTools(options);
    const tool = tools.find(({ name }) => name === this.name);
    if (tool === undefined) {
      throw new LongwireError(
        `the server has no tool ${this.name}; it has ${nameList(tools.map(({ name }) => name))}`,
        { code: 'unknown-tool', certainty: 'not-sent' },
      );
    }
    return tool;
  }
}
