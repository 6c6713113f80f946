import type { ApprovalDecision, ApprovalHook } from '@longwire/agent';
import type { Context } from '../context.js';
import type { Redactor } from '../redact.js';
import { escapeControls, sanitizeLine } from '../sanitize.js';

/** More than this of a call's arguments nobody reads; the rest is counted. */
const maxArgumentsLength = 2000;

/** A name that is longer is there to push the rest of the question away. */
const maxNameLength = 100;

/**
 * Asks the person before a tool that may change things; with `--yes` never, and without a terminal
 * the answer is no. Questions come one at a time, also when calls are made side by side.
 */
export function createApproval(context: Context, options: { yes: boolean }): ApprovalHook {
  if (options.yes) return () => true;
  const { stdin, terminal } = context;
  let earlier: Promise<unknown> = Promise.resolve();
  let remarked = false;
  return (request) => {
    if (!terminal.canAsk(stdin)) {
      if (!remarked)
        terminal.remark('Tools that may change things are refused; --yes allows them.');
      remarked = true;
      return { allow: false, reason: 'nobody could be asked for permission' };
    }
    const answer = earlier.then(() => ask(context, request));
    earlier = answer.catch(() => undefined);
    return answer;
  };
}

/** The question: names in quotes and all of it on one line, so that no server writes its own. */
export function approvalQuestion(
  {
    tool,
    server,
    arguments: args,
  }: Pick<Parameters<ApprovalHook>[0], 'tool' | 'server' | 'arguments'>,
  redactor: Redactor,
): string {
  const json = redactor.data(sanitizeLine(escapeControls(JSON.stringify(args))));
  const shown =
    json.length > maxArgumentsLength
      ? `${json.slice(0, maxArgumentsLength)}… (${json.length - maxArgumentsLength} more characters)`
      : json;
  return `Let Claude call ${quoted(tool)} of ${quoted(server)} with ${shown}?`;
}

async function ask(
  context: Context,
  request: Parameters<ApprovalHook>[0],
): Promise<ApprovalDecision> {
  const { signal } = request;
  if (signal.aborted) return false;
  const { stdin, terminal, interruptions, redactor } = context;
  try {
    return await terminal.confirm(approvalQuestion(request, redactor), { stdin, signal });
  } catch (error) {
    // The library reads the terminal raw, so Ctrl-C comes as its own error and not as a signal.
    if (error instanceof Error && error.name === 'ExitPromptError') interruptions.interrupt();
    return false;
  }
}

function quoted(name: string): string {
  return JSON.stringify(sanitizeLine(name, maxNameLength));
}
