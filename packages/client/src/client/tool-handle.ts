import type { CallToolResult, Tool } from '@modelcontextprotocol/client';
import { LongwireError } from '../errors.js';
import { nameList } from '../nearest.js';
import type { ResultWithData } from './result-data.js';
import type { CallParameters, ToolResult, ToolType } from './tool-types.js';
import type { CallToolOptions, CheckedCallOptions, OperationOptions, ToolSource } from './types.js';

/** A handle on one tool of a server, as `client.tool(name)` gives it. */
export interface ToolHandle<Type extends ToolType = ToolType> {
  /** What the tool is called where the handle comes from. */
  readonly name: string;
  /** Calls the tool; as `client.callTool`. */
  call<Data>(
    args: Type['arguments'],
    options: CheckedCallOptions<Data>,
  ): Promise<ResultWithData<Data>>;
  call(...parameters: CallParameters<Type, CallToolOptions>): Promise<ToolResult<Type>>;
  /**
   * What the server says of the tool now.
   *
   * @throws LongwireError `unknown-tool` if it has none of this name.
   */
  definition(options?: OperationOptions): Promise<Tool>;
}

/** Makes a handle. */
export function createToolHandle(
  source: Pick<ToolSource, 'listTools' | 'callTool'>,
  name: string,
): ToolHandle {
  const call = (args?: object, options?: CallToolOptions): Promise<CallToolResult> =>
    source.callTool(name, args, options);
  return {
    name,
    // The source adds `data` where a schema is among the options.
    call: call as ToolHandle['call'],
    definition: async (options) => {
      const tools = await source.listTools(options);
      const tool = tools.find((listed) => listed.name === name);
      if (tool !== undefined) return tool;
      throw new LongwireError(
        `the server has no tool ${name}; it has ${nameList(tools.map((listed) => listed.name))}`,
        { code: 'unknown-tool', certainty: 'not-sent' },
      );
    },
  };
}
