import type { CallToolResult } from '@modelcontextprotocol/client';

/** What is known of a tool when the program is compiled. */
export interface ToolType {
  /** Its arguments. */
  arguments: object;
  /** The structured content of its result. Left out: nothing is known of it. */
  structured?: unknown;
}

/** Any tool, with any arguments: what holds where a program names no types. */
export type AnyTools = Record<string, ToolType>;

/**
 * The tools of a server by name, as `longwire types` writes them:
 * `interface Tools { echo: { arguments: { message: string } } }`. As a constraint,
 * `<Tools extends ToolTypes<Tools>>`, it takes an `interface`, too.
 */
export type ToolTypes<Tools = AnyTools> = { [Name in keyof Tools]: ToolType };

/** The names of tools. */
export type ToolName<Tools> = keyof Tools & string;

/** What a call is given after the name. The arguments may be left out if none of them is required. */
export type CallParameters<Tool extends ToolType, Options> =
  Record<never, never> extends Tool['arguments']
    ? [args?: Tool['arguments'], options?: Options]
    : [args: Tool['arguments'], options?: Options];

/** The result of a tool. Without structured content if the tool reports an error. */
export type ToolResult<Tool extends ToolType> = Tool extends { structured: infer Structured }
  ? CallToolResult & { structuredContent?: Structured }
  : CallToolResult;
