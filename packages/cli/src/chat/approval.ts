import type { ApprovalDecision, ApprovalHook } from '@longwire/agent';
import type { Context } from '../context.js';
import { sanitize } from '../sanitize.js';

/** More than this of a call's arguments nobody reads; the rest is counted. */
const maxArgumentsLength = 2000;

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
    if (stdin.isTTY !== true || terminal.stderr.isTTY !== true) {
      if (!remarked)
        terminal.remark('Tools that may change things are refused; --yes allows them.');
      remarked = true;
      return { allow: false, reason: 'nobody is at the terminal to approve it' };
    }
    const answer = earlier.then(() => ask(context, request));
    earlier = answer.catch(() => undefined);
    return answer;
  };
}

async function ask(
  context: Context,
  { tool, server, arguments: args, signal }: Parameters<ApprovalHook>[0],
): Promise<ApprovalDecision> {
  if (signal.aborted) return false;
  const { confirm } = await import('@inquirer/prompts');
  const { stdin, terminal, interruptions, redactor } = context;
  const json = sanitize(JSON.stringify(args));
  const shown =
    json.length > maxArgumentsLength
      ? `${json.slice(0, maxArgumentsLength)}… (${json.length - maxArgumentsLength} more characters)`
      : json;
  const message = redactor.data(
    `Let Claude call ${sanitize(tool)} of ${sanitize(server)} with ${shown}?`,
  );
  const streams = { input: stdin, output: terminal.stderr, signal };
  try {
    return await terminal.ask(() => confirm({ message, default: false }, streams));
  } catch (error) {
    // The library reads the terminal raw, so Ctrl-C comes as its own error and not as a signal.
    if (error instanceof Error && error.name === 'ExitPromptError') interruptions.interrupt();
    return false;
  }
}
