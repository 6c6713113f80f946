import type { McpServer, ServerContext } from '@modelcontextprotocol/server';
import type { LoggingLevel } from '@longwire/client';

/** A tool that only reads what this process has. */
export const READ_ONLY = { readOnlyHint: true, openWorldHint: false } as const;

/** A tool that changes something that nobody gets back. */
export const DESTRUCTIVE = { destructiveHint: true, idempotentHint: false } as const;

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

/** Something that a server says by itself. */
export interface Said {
  readonly level: LoggingLevel;
  readonly logger: string;
  readonly data: unknown;
}

/** Lets a server say something again and again while its session lasts, in random intervals. */
export function sayByItself(
  server: McpServer,
  { everyMs, say }: { everyMs: () => number; say: () => Said | undefined },
): void {
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    clearTimeout(timer);
    timer = undefined;
  };
  const next = (): void => {
    timer = setTimeout(() => {
      const said = say();
      // Whoever is no longer connected is told nothing.
      if (said !== undefined) server.sendLoggingMessage(said).catch(stop);
      if (timer !== undefined) next();
    }, everyMs()).unref();
  };
  // A server without a session has nobody to tell.
  server.server.oninitialized = next;
  server.server.onclose = stop;
}
