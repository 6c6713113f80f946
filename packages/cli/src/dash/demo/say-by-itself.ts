import type { LoggingLevel } from '@longwire/client';
import type { McpServer } from '@modelcontextprotocol/server';

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
