import type { Context } from '../context.js';
import type { Part } from '../result-parts.js';
import { sanitizeLine } from '../sanitize.js';
import type { Destination } from './destination.js';

/** What is left after parts of a result were put where they belong. */
export interface Delivered {
  /** Still to be printed. */
  rest: readonly Part[];
  /** Whether something could not be written; then all is left. */
  hasFailed: boolean;
}

/**
 * Puts parts where `--out` says. What it names has answered already: if it cannot be written, that is
 * said, and everything is printed.
 */
export async function deliver(
  context: Context,
  destination: Destination | undefined,
  parts: readonly Part[],
  options: { source: string },
): Promise<Delivered> {
  if (destination === undefined) return { rest: parts, hasFailed: false };
  const { writeParts } = await import('./write-parts.js');
  try {
    return { rest: await writeParts(context, destination, parts, options), hasFailed: false };
  } catch (error) {
    const { terminal } = context;
    const reason = error instanceof Error ? error.message : String(error);
    terminal.error(`${terminal.remarkColors.red('error:')} ${sanitizeLine(reason)}`);
    return { rest: parts, hasFailed: true };
  }
}
