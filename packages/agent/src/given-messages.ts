import type Anthropic from '@anthropic-ai/sdk';
import { isObject } from '@longwire/client/internal';

/**
 * Messages of a conversation that a program resumes: a copy without cache breakpoints, of which the
 * API allows four in all.
 *
 * @throws TypeError that names the message for which the API would reject all of them.
 */
export function givenMessages(given: unknown): Anthropic.MessageParam[] {
  if (!Array.isArray(given)) throw new TypeError('messages must be an array');
  const messages = given.map((message: unknown, index) => {
    const wrong = (expected: string): TypeError =>
      new TypeError(`messages.${index} ${expected}: give what agent.messages gave`);
    if (!isObject(message)) throw wrong('must be an object');
    const { role, content } = message;
    if (role !== (index % 2 === 0 ? 'user' : 'assistant')) {
      throw wrong(`must be of the ${index % 2 === 0 ? 'user' : 'assistant'}, as roles alternate`);
    }
    const blocks: unknown[] = typeof content === 'string' ? [textBlock(content)] : list(content);
    if (blocks.length === 0) throw wrong('must have content');
    if (!blocks.every((block) => isObject(block) && typeof block['type'] === 'string')) {
      throw wrong('must have content of blocks with a type');
    }
    return { role, content: blocks.map(withoutBreakpoint) } as GivenMessage;
  });
  checkResults(messages);
  return messages as unknown as Anthropic.MessageParam[];
}

interface GivenMessage {
  role: 'user' | 'assistant';
  content: Record<string, unknown>[];
}

/** Every call has its result in the next message, first and in order, and every result has a call. */
function checkResults(messages: readonly GivenMessage[]): void {
  const seen = new Set<unknown>();
  for (const [index, { role, content }] of messages.entries()) {
    const calls = role === 'assistant' ? content.filter(isOfType('tool_use')) : [];
    const ids = calls.map(({ id }) => id);
    const repeated = ids.find((id) => seen.size === seen.add(id).size);
    const next = messages[index + 1]?.content ?? [];
    const answered = next.filter(isOfType('tool_result')).map(({ tool_use_id: id }) => id);
    const isAnswered =
      ids.length === answered.length &&
      ids.every((id, n) => id === answered[n] && next[n]?.['tool_use_id'] === id);
    if (repeated !== undefined) {
      throw new TypeError(
        `messages.${index} has a tool call whose id ${JSON.stringify(repeated)} was used before`,
      );
    }
    if (role === 'assistant' && !isAnswered) {
      throw new TypeError(
        `messages.${index} has tool calls, and messages.${index + 1} must begin with a result for each`,
      );
    }
  }
  if (messages[0]?.content.some(isOfType('tool_result')) === true) {
    throw new TypeError('messages.0 has a result of a tool call that is not there');
  }
}

function isOfType(type: string): (block: Record<string, unknown>) => boolean {
  return (block) => block['type'] === type;
}

function textBlock(text: string): Anthropic.TextBlockParam {
  return { type: 'text', text };
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function withoutBreakpoint(block: unknown): unknown {
  const { cache_control: _, ...rest } = structuredClone(block) as Record<string, unknown>;
  return rest;
}
