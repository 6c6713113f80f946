import { answerSampling } from '@longwire/agent';
import type {
  CreateMessageRequestParams,
  CreateMessageResult,
  ServerRequestHandlers,
} from '@longwire/client';
import { asChatError } from '../chat/chat-error.js';
import { createClaude } from '../claude-client.js';
import { usageError } from '../command-error.js';
import type { Context } from '../context.js';
import { howToSetKey } from '../environment.js';
import { askWord, type QuestionDesk } from '../question-desk.js';
import { summaryOf } from '../report-error.js';
import { sanitizeLine, visibleJson } from '../sanitize.js';
import type { Questions } from './questions.js';
import { quoted } from './quote.js';

/** The most tokens of one answer. */
const maxTokens = 4096;

/** How often a server may ask during one command: one that asks in a loop is stopped. */
const maxRequests = 50;

/** Longer requests cost too much to be meant. */
const maxRequestLength = 200_000;

/** The number of the error of a person who says no, as the specification has it. */
const rejectedByUser = -1;

/**
 * Has Claude answer what a server asks of a model. Each request is shown and asked about first, unless
 * `yes`.
 *
 * @throws LongwireError (usage) if there is no key, or nobody to ask.
 */
export function createSampling(
  context: Context,
  questions: Questions,
  { yes }: { yes: boolean },
): NonNullable<ServerRequestHandlers['sampling']> {
  const anthropic = createClaude(context);
  if (anthropic === undefined) {
    throw usageError(`--allow-sampling needs Claude: ${howToSetKey}`, { code: 'config' });
  }
  if (!yes && !questions.canAsk) {
    throw usageError(
      '--allow-sampling asks before each request, and nobody is at a terminal: --yes allows them all',
    );
  }
  const { anthropicModel: model, anthropicAuthToken } = context.environment;
  let requests = 0;
  return async (params, { signal }) => {
    const said = textOf(params);
    if (++requests > maxRequests) {
      questions.remark(`asks Claude more than ${maxRequests} times: the others are refused`);
      throw refusal('too many sampling requests');
    }
    if (said.length > maxRequestLength) {
      questions.remark(`asks Claude more than ${maxRequestLength} characters: that is refused`);
      throw refusal('the sampling request is too long');
    }
    if (!yes) {
      const allowed = await questions.ask(signal, (desk) =>
        askToSample(desk, { server: questions.server, said, tokens: tokensOf(params) }),
      );
      if (allowed !== true) throw refusal('the user rejected the sampling request');
    }
    context.terminal.showLive(`Claude answers the server ${questions.server}`);
    try {
      const answer = await answerSampling(params, {
        anthropic,
        maxTokens,
        signal: AbortSignal.any([signal, context.interruptions.signal]),
        ...(model !== undefined && { model }),
      });
      tellAnswer(context, questions, answer);
      return answer;
    } catch (error) {
      const reason = summaryOf(asChatError(error, anthropicAuthToken && 'ANTHROPIC_AUTH_TOKEN'));
      context.terminal.remark(
        sanitizeLine(`The server ${questions.server} got no answer of Claude: ${reason}`),
      );
      throw refusal('the model gave no answer');
    } finally {
      context.terminal.stopLive();
    }
  };
}

/** Shows all that Claude would be sent, and asks. */
async function askToSample(
  desk: QuestionDesk,
  { server, said, tokens }: { server: string; said: string; tokens: number },
): Promise<boolean> {
  const name = visibleJson(server);
  desk.show(`The server ${name} asks Claude:`);
  for (const line of await quoted(said, desk.columns)) desk.show(line);
  for (;;) {
    const answer = await askWord(
      desk,
      `Let the server ${name} ask Claude this, for up to ${tokens} tokens? (v)iew all, (y)es, (N)o`,
      { lines: [], answers: { view: ['v', 'view'], yes: ['y', 'yes'], no: ['n', 'no'] } },
    );
    if (answer !== 'view') return answer === 'yes';
    for (const line of await quoted(said, desk.columns, { whole: true })) desk.show(line);
  }
}

function tellAnswer(
  { terminal }: Context,
  { server }: Questions,
  { content }: CreateMessageResult,
): void {
  const text = content.type === 'text' ? content.text : '';
  terminal.remark(`Claude told the server ${server}: ${sanitizeLine(text, 200)}`);
}

function tokensOf(params: CreateMessageRequestParams): number {
  return Math.min(params.maxTokens, maxTokens);
}

/** All that is said to Claude, with who says it. */
function textOf({ systemPrompt, messages }: CreateMessageRequestParams): string {
  const system = systemPrompt === undefined ? [] : [`system: ${systemPrompt}`];
  const said = messages.flatMap(({ role, content }) =>
    [content]
      .flat()
      .map((block) => `${role}: ${block.type === 'text' ? block.text : `(${block.type})`}`),
  );
  return [...system, ...said].join('\n');
}

/** An error that the server is given; nothing of Claude's own errors is in it. */
function refusal(message: string): Error {
  return Object.assign(new Error(message), { code: rejectedByUser });
}
