import type { ApprovalDecision, ApprovalHook, ApprovalRequest } from '@longwire/agent';
import type { Context } from '../context.js';
import { visibleJson } from '../sanitize.js';
import { changesOf } from './tool-changes.js';

/** Arguments that are longer stand on lines of their own, before the question. */
const maxInlineLength = 300;

/** A server's name that is longer is there to push the rest of the question away. */
const maxServerLength = 100;

/** The answers, by what may be written; the last is that of an empty line. */
const answers = { once: ['y', 'yes'], always: ['a', 'always'], no: ['n', 'no'] } as const;

/**
 * Asks the person before calls that need it; with `--yes` never, and without a terminal the answer
 * is no. Questions come one at a time, also when calls are made side by side.
 */
export function createApproval(context: Context, options: { yes: boolean }): ApprovalHook {
  if (options.yes) return () => true;
  const { stdin, terminal } = context;
  let earlier: Promise<unknown> = Promise.resolve();
  return (request) => {
    if (!terminal.canAsk(stdin)) {
      terminal.remarkOnce(
        'Tools that somebody would be asked about are refused; --yes allows them, --trust NAME those ' +
          'of which that server says that they change nothing.',
      );
      return { allow: false, reason: 'nobody could be asked for permission' };
    }
    const answer = earlier.then(() => ask(context, request));
    earlier = answer.catch(() => undefined);
    return answer;
  };
}

/**
 * What is shown, and the question: all that is sent, and so that all of it can be seen. Names are in
 * quotes, and everything a server or Claude says is on one line, so that none writes its own
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

async function ask(context: Context, request: ApprovalRequest): Promise<ApprovalDecision> {
  const { signal } = request;
  if (signal.aborted) return false;
  const { stdin, terminal, interruptions } = context;
  const { lines, question } = approvalQuestion(request);
  const choices = '(y)es once, (a)lways for this tool as it is now, (N)o';
  try {
    const answer = await terminal.ask(`${question} ${choices}`, { lines, answers, stdin, signal });
    if (answer === 'always') return 'always';
    return answer === 'once';
  } catch (error) {
    // The library reads the terminal raw, so Ctrl-C comes as its own error and not as a signal.
    if (error instanceof Error && error.name === 'ExitPromptError') interruptions.interrupt();
    return false;
  }
}

function quotedServer(name: string): string {
  return visibleJson(
    name.length <= maxServerLength ? name : `${name.slice(0, maxServerLength - 1)}…`,
  );
}
