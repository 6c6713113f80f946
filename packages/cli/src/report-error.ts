import { LongwireError } from '@longwire/client';
import type { ExitCode } from './exit-codes.js';
import { sanitizeLine } from './sanitize.js';
import type { Terminal } from './terminal.js';

/** How many errors a chain of causes is followed: one may be its own. */
const maxCauses = 6;

/**
 * Says on one line of stderr what went wrong and what to do; with `--verbose`, the code, how
 * certain it is, what was tried and the causes.
 */
export function reportError(error: unknown, exitCode: ExitCode, terminal: Terminal): void {
  const red = terminal.remarkColors.red;
  if (exitCode === 130) return terminal.remark('Interrupted.');
  const hint = advice(error);
  const line = sanitizeLine(`${messageOf(error)}${hint === '' ? '' : ` ${hint}`}`);
  terminal.error(`${red('error:')} ${line}`);
  if (error instanceof LongwireError) {
    terminal.detail(`  code ${error.code}, certainty ${error.certainty}`);
    for (const { url, outcome } of triedOf(error)) {
      terminal.detail(`  tried ${sanitizeLine(`${url}: ${outcome}`)}`);
    }
  }
  let cause = causeOf(error);
  for (let depth = 0; cause !== undefined && depth < maxCauses; depth++) {
    terminal.detail(`  because: ${sanitizeLine(messageOf(cause))}`);
    cause = causeOf(cause);
  }
}

/** What to do about it, where the message of the library cannot know the command line. */
function advice(error: unknown): string {
  // Of Claude the message itself says it.
  if (!(error instanceof LongwireError) || error.name === 'ChatError') return '';
  switch (error.code) {
    case 'unauthorized':
      return "(set MCP_SERVER_URL and MCP_API_KEY, or give --header 'Authorization: Bearer …')";
    case 'timeout':
      return '(a longer --timeout allows more)';
    case 'deadline':
      return '(a longer --deadline allows more)';
    default:
      return '';
  }
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // An error of the network may have its words in its code alone.
  return error.message || ('code' in error ? String(error.code) : error.name);
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? (error.cause ?? undefined) : undefined;
}

function triedOf(error: LongwireError): readonly { url: string; outcome: string }[] {
  return 'tried' in error ? (error.tried as readonly { url: string; outcome: string }[]) : [];
}
