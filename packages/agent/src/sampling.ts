import Anthropic from '@anthropic-ai/sdk';
import type { CreateMessageRequestParams, CreateMessageResult } from '@longwire/client';
import { defaultModel } from './options.js';
import { blocksOf } from './tool-results.js';
import { isBlank, wellFormed } from './text.js';

/** Options of {@link answerSampling}. */
export interface SamplingOptions {
  /** The SDK to ask with: its key and address apply, and go nowhere else. */
  anthropic: Anthropic;
  /** Default: the environment's `ANTHROPIC_MODEL`, else `claude-sonnet-5-5`. What the server prefers is not followed. */
  model?: string;
  /** The most tokens of the answer, whatever the server asks for. Default 4096. */
  maxTokens?: number;
  signal?: AbortSignal;
}

/**
 * Has Claude answer what a server asks of a model (`sampling/createMessage`): a handler for `sampling`
 * of `connect`. Nothing of the program or of other servers is added to what the server wrote. It does
 * not ask whether it may: do that before, and bound how often.
 *
 * @throws TypeError for a request that Claude cannot be asked: audio, tools, or nothing at all.
 * @throws the SDK's error, unchanged, if the API fails.
 */
export async function answerSampling(
  params: CreateMessageRequestParams,
  { anthropic, model, maxTokens = 4096, signal }: SamplingOptions,
): Promise<CreateMessageResult> {
  if ('tools' in params && params.tools !== undefined) {
    throw new TypeError('tools in a sampling request are not supported');
  }
  const { systemPrompt, stopSequences = [], temperature } = params;
  const stops = stopSequences.filter((stop) => !isBlank(stop));
  const request: Anthropic.MessageCreateParamsNonStreaming = {
    model: model ?? defaultModel(),
    max_tokens: Math.max(1, Math.min(Math.floor(params.maxTokens), maxTokens)),
    messages: messagesOf(params),
    ...(systemPrompt !== undefined &&
      !isBlank(systemPrompt) && { system: wellFormed(systemPrompt) }),
    ...(stops.length > 0 && { stop_sequences: stops }),
    ...(temperature !== undefined && { temperature: Math.max(0, Math.min(temperature, 1)) }),
  };
  const answer = await anthropic.messages.create(request, { ...(signal && { signal }) });
  const text = answer.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
  const stopReason = stopReasons[answer.stop_reason ?? ''];
  return {
    role: 'assistant',
    model: answer.model,
    content: { type: 'text', text },
    ...(stopReason !== undefined && { stopReason }),
  };
}

/** The reasons as MCP names them. */
const stopReasons: Readonly<Record<string, string>> = {
  end_turn: 'endTurn',
  stop_sequence: 'stopSequence',
  max_tokens: 'maxTokens',
};

function messagesOf({ messages }: CreateMessageRequestParams): Anthropic.MessageParam[] {
  const asked = messages.flatMap(({ role, content }): Anthropic.MessageParam[] => {
    const given = Array.isArray(content) ? content : [content];
    if (given.some(({ type }) => type !== 'text' && type !== 'image')) {
      throw new TypeError('a sampling request can have text and images');
    }
    const blocks = blocksOf(given);
    return blocks.length === 0 ? [] : [{ role, content: blocks }];
  });
  if (asked.length === 0) throw new TypeError('the sampling request says nothing');
  return asked;
}
