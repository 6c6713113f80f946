import type { Agent, DoneEvent, ToolCallEvent, UserBlock } from '@longwire/agent';
import { CommandError } from '../command-error.js';
import type { Context } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import type { MediaFolder } from '../save-media.js';
import { asChatError } from './chat-error.js';
import { sanitizeLine } from '../sanitize.js';
import type { Servers } from './servers.js';
import { TurnDisplay } from './turn-display.js';
import type { UsageTally } from './usage-tally.js';

/** A call of a turn and its outcome, as `chat --json` prints it. */
export interface CallRecord {
  server: string;
  tool: string;
  arguments: Record<string, unknown>;
  isError: boolean;
  refused: boolean;
}

/** A finished turn. */
export interface TurnOutcome {
  done: DoneEvent;
  calls: CallRecord[];
  /** 0 if the answer is complete. */
  exitCode: ExitCode;
}

/** Why an answer is incomplete, for a person. */
const incomplete: Partial<Record<DoneEvent['reason'], string>> = {
  'max-tokens': 'The answer was cut: it reached the limit of tokens.',
  'context-window': "The answer was cut: the model's context is full. /reset starts anew.",
  'max-rounds': 'Claude was stopped: it asked for tools too many times. Say "continue" to resume.',
  refusal: 'Claude declined to answer.',
};

/**
 * Asks Claude and shows what happens until it has answered.
 *
 * @throws CommandError if Claude could not be asked, or the turn was interrupted.
 */
export async function runTurn(
  context: Context,
  options: {
    agent: Agent;
    servers: Servers;
    media: MediaFolder;
    question: string | readonly UserBlock[];
    /** Given the tokens of each answer. */
    usage?: UsageTally;
    signal: AbortSignal;
    /** Whether the answer is printed as it comes. */
    answers: boolean;
  },
): Promise<TurnOutcome> {
  const { agent, servers, media, question, usage, signal, answers } = options;
  const { terminal } = context;
  const severalServers = servers.clients.length > 1;
  const display = new TurnDisplay(context, { media, severalServers, answers });
  const calls = new Map<string, CallRecord>();
  const release = servers.notes.divert((line) => display.note(line));
  let done: DoneEvent | undefined;
  try {
    usage?.begin();
    display.waiting();
    for await (const event of agent.send(question, { signal })) {
      if (event.type === 'tool-call') calls.set(event.id, recordOf(event));
      const call = 'id' in event ? calls.get(event.id) : undefined;
      if (call && event.type === 'tool-result') call.isError = event.isError;
      if (call && event.type === 'tool-refused') call.refused = true;
      if (event.type === 'usage') usage?.add(event.usage);
      if (event.type === 'done') done = event;
      if (event.type === 'source-failed') servers.notes.missing(event.server, event.error);
      else await display.show(event);
    }
  } catch (error) {
    const { anthropicAuthToken } = context.environment;
    throw asChatError(error, anthropicAuthToken && 'ANTHROPIC_AUTH_TOKEN');
  } finally {
    release();
    display.end();
  }
  if (done === undefined || done.reason === 'aborted') {
    throw new CommandError('interrupted', { code: 'aborted', certainty: 'outcome-unknown' });
  }
  const remark = incomplete[done.reason];
  if (remark !== undefined) {
    terminal.remark(
      terminal.remarkColors.yellow(
        sanitizeLine([remark, done.explanation].filter(Boolean).join(' ')),
      ),
    );
  }
  const isWhole = done.reason === 'end-turn' || done.reason === 'stop-sequence';
  return { done, calls: [...calls.values()], exitCode: isWhole ? 0 : 1 };
}

function recordOf({ server, tool, arguments: args }: ToolCallEvent): CallRecord {
  return { server, tool, arguments: args, isError: false, refused: false };
}
