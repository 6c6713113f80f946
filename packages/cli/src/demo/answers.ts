import type { ServerContext } from '@modelcontextprotocol/server';

/** A tool that only reads what this process has. */
export const READ_ONLY = { readOnlyHint: true, openWorldHint: false } as const;

/** A result that is a text. */
export function text(value: string): { content: [{ type: 'text'; text: string }] } {
  return { content: [{ type: 'text', text: value }] };
}

/** Tells whoever called how far it is, if they want to know. */
export async function report(
  { mcpReq }: ServerContext,
  progress: number,
  total: number,
  message: string,
): Promise<void> {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return;
  await mcpReq.notify({
    method: 'notifications/progress',
    params: { progressToken, progress, total, message },
  });
}
