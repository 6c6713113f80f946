import type { ApprovalDecision, ApprovalHook, ApprovalRequest } from '@longwire/agent';
import { ask } from '../ask.js';
import type { Context } from '../context.js';
import { visibleJson } from '../sanitize.js';
import { changesOf } from './tool-changes.js';

/** Longer arguments are shown before the question, on their own lines. */
const maxInlineLength = 300;

/** A longer name of a server could push the question out of view. */
const maxServerLength = 100;

/** The answers and their words; an empty line means the last one. */
const answers = {
  once: ['y', 'yes'],
  always: ['a', 'always'],
  never: ['v', 'never'],
  no: ['n', 'no'],
} as const;

/** What Claude is told of a tool that the user does not want called. */
const refusedForGood: ApprovalDecision = {
  allow: false,
  reason: 'the user refused this tool for the whole conversation: do not call it again',
};

/**
 * Asks the user before calls that need approval. With `--yes` it never asks; without a terminal the
 * answer is no. Questions come one at a time, even for parallel calls.
 */
export function createApproval(context: Context, options: { yes: boolean }): ApprovalHook {
  if (options.yes) return () => true;
  const { stdin, terminal } = context;
  let earlier: Promise<unknown> = Promise.resolve();
  const refused = new Set<string>();
  return (request) => {
    const key = JSON.stringify([request.server, request.tool]);
    if (refused.has(key)) return refusedForGood;
    if (!terminal.canAsk(stdin)) {
      terminal.remarkOnce(
        'Tools that somebody would be asked about are refused; --yes allows them, --trust NAME those ' +
          'of which that server says that they change nothing.',
      );
      return { allow: false, reason: 'nobody could be asked for permission' };
    }
    const answer = earlier.then(async () => {
      // It may have been answered for the one before.
      if (refused.has(key)) return refusedForGood;
      const choice = await askUser(context, request);
      if (choice === 'never') refused.add(key);
      return choice === 'never' ? refusedForGood : choice;
    });
    earlier = answer.catch(() => undefined);
    return answer;
  };
}

/**
 * The question and the lines before it. They show all that is sent, invisible characters included.
 * Names are quoted, and text of a server or of Claude is on one line, so that neither can imitate a
 * question.
 */
export function approvalQuestion({
  tool,
  server,
  arguments: args,
  definition,
  previous,
}: Pick<ApprovalRequest, 'tool' | 'server' | 'arguments'> &
  Partial<Pick<ApprovalRequest, 'definition' | 'previous'>>): {
  lines: string[];
  question: string;
} {
  const named = `${visibleJson(tool)} of ${quotedServer(server)}`;
  const changes =
    previous === undefined || definition === undefined ? [] : changesOf(previous, definition);
  const json = visibleJson(args);
  const isLong = json.length > maxInlineLength;
  return {
    lines: [
      ...(changes.length > 0
        ? [`The tool ${named} has changed since it was allowed:`, ...changes]
        : []),
      ...(isLong ? [`Claude calls ${named} with:`, json] : []),
    ],
    question: isLong
      ? `Let Claude call ${named} with these arguments?`
      : `Let Claude call ${named} with ${json}?`,
  };
}

async function askUser(
  context: Context,
  request: ApprovalRequest,
): Promise<boolean | 'always' | 'never'> {
  const { signal } = request;
  if (signal.aborted) return false;
  const { lines, question } = approvalQuestion(request);
  const choices = '(y)es once, (a)lways for this tool as it is now, ne(v)er, (N)o';
  const answer = await ask(context, `${question} ${choices}`, { lines, answers, signal });
  if (answer === 'always' || answer === 'never') return answer;
  return answer === 'once';
}

function quotedServer(name: string): string {
  return visibleJson(
    name.length <= maxServerLength ? name : `${name.slice(0, maxServerLength - 1)}…`,
  );
}
