import type Anthropic from '@anthropic-ai/sdk';

const ephemeral = { type: 'ephemeral' } as const;

/** How many of the newest user messages are marked. With tools and system, the API's four. */
const markedMessages = 2;

/** The parts of a request that can be cached. */
export interface Cacheable {
  messages: readonly Anthropic.MessageParam[];
  tools: readonly Anthropic.Tool[];
  system: string | undefined;
}

/**
 * The same parts with cache breakpoints: on the last tool, on the system prompt, and on the last
 * block of the two newest user messages. The newest writes the cache; the one before it is where
 * the previous request wrote, which the API does not look for more than 20 blocks back, and a round
 * of many parallel calls is longer than that. The originals are left unmarked, so that marks never
 * add up: the API takes at most four.
 */
export function withCacheBreakpoints(
  parts: Cacheable,
): Pick<Anthropic.MessageCreateParams, 'messages' | 'tools' | 'system'> {
  const { tools, system } = parts;
  const messages = [...parts.messages];
  let left = markedMessages;
  for (let index = messages.length - 1; index >= 0 && left > 0; index--) {
    const message = messages[index];
    if (message?.role !== 'user' || typeof message.content === 'string') continue;
    messages[index] = { role: 'user', content: markLast(message.content) };
    left--;
  }
  return {
    messages,
    ...(tools.length > 0 ? { tools: markLast(tools) } : {}),
    ...(system === undefined
      ? {}
      : { system: [{ type: 'text', text: system, cache_control: ephemeral }] }),
  };
}

function markLast<Part extends object>(parts: readonly Part[]): Part[] {
  return parts.map((part, index) =>
    index === parts.length - 1 ? { ...part, cache_control: ephemeral } : part,
  );
}
