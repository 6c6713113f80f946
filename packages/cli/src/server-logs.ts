import type { LoggingLevel, LongwireClient, OperationOptions } from '@longwire/client';
import { LOG_LEVELS } from '@longwire/client/internal';
import type { Context } from './context.js';
import { logMessage } from './notifications.js';
import type { Terminal } from './terminal.js';

/** What is less than this is a detail. */
const LEAST_LEVEL: LoggingLevel = 'info';

/**
 * Shows the log messages of a server as they come: those from `info` up as remarks, the others as
 * details. The function returned stops that.
 */
export function showLogs(terminal: Terminal, client: LongwireClient): () => void {
  return client.on('notification', (notification) => {
    const logged = logMessage(notification);
    if (logged === undefined) return;
    const { source, text } = logged;
    const rank = rankOf(notification.params?.['level']);
    const { dim, yellow, red } = terminal.remarkColors;
    const color = rank >= rankOf('error') ? red : rank >= rankOf('warning') ? yellow : dim;
    const line = `${color(source)}: ${text}`;
    if (rank < rankOf(LEAST_LEVEL)) terminal.detail(`${source}: ${text}`);
    else terminal.remark(line);
  });
}

/**
 * Asks a server for log messages: with `--verbose` for all of them. Else a server that sends some unasked
 * is not asked, which would cost a request; one of the newest protocol sends none unasked, and is told
 * with each call.
 */
export async function askForLogs(
  { terminal, options }: Pick<Context, 'terminal' | 'options'>,
  client: LongwireClient,
  limits: OperationOptions,
): Promise<void> {
  if (client.capabilities?.logging === undefined || options.quiet) return;
  const isTold = client.protocolVersion === '2026-07-28';
  if (!isTold && !terminal.verbose) return;
  // A server that refuses it works all the same.
  await client.setLogLevel(terminal.verbose ? 'debug' : LEAST_LEVEL, limits).catch(() => undefined);
}

/** A level that no log has counts as the least that is shown. */
function rankOf(level: unknown): number {
  const rank = LOG_LEVELS.findIndex((known) => known === level);
  return rank === -1 ? LOG_LEVELS.indexOf(LEAST_LEVEL) : rank;
}
