import type { JSONRPCResultResponse } from '@modelcontextprotocol/server';

/** A tool as its server lists it, as far as it says whether it may run twice. */
export interface ListedTool {
  readonly name?: unknown;
  readonly annotations?: {
    readonly readOnlyHint?: unknown;
    readonly idempotentHint?: unknown;
  } | null;
}

/** Pages of a list of tools that are asked for, at most. */
const MAX_PAGES = 100;

/** Whether a tool says that it may run twice without harm. */
export function mayRunTwice({ annotations }: ListedTool): boolean {
  return annotations?.readOnlyHint === true || annotations?.idempotentHint === true;
}

/**
 * Whether the server that is asked says so of a tool.
 *
 * @param list asks for one page; `undefined` where there is no answer.
 */
export async function isListedAsSafe(
  tool: string,
  list: (params: Record<string, unknown>) => Promise<JSONRPCResultResponse['result'] | undefined>,
): Promise<boolean> {
  let cursor: unknown;
  for (let page = 0; page < MAX_PAGES; page++) {
    const result = await list(cursor === undefined ? {} : { cursor });
    const { tools, nextCursor } = (result ?? {}) as {
      tools?: readonly ListedTool[];
      nextCursor?: unknown;
    };
    const listed = tools?.find(({ name }) => name === tool);
    if (listed !== undefined) return mayRunTwice(listed);
    if (nextCursor === undefined || nextCursor === cursor) return false;
    cursor = nextCursor;
  }
  return false;
}
