import type Anthropic from '@anthropic-ai/sdk';

const ephemeral = { type: 'ephemeral' } as const;

/** How many of the newest user messages have a breakpoint. With tools and system, the API's four. */
const cachedMessages = 2;

/** The parts of a request that can be cached. */
export interface Cacheable {
  messages: readonly Anthropic.MessageParam[];
  tools: readonly Anthropic.Tool[];
  system: string | undefined;
}

/**
 * The same parts with cache breakpoints: on the last tool, on the system prompt, and on the last
 * block of the two newest user messages. The newest message writes the cache. The previous request
 * wrote at the message before it; the API searches at most 20 blocks back for that, and a round of
 * many parallel calls is longer. The originals stay without breakpoints, so that they never add up:
 * the API accepts at most four.
 */
export function withCacheBreakpoints(
  parts: Cacheable,
): Pick<Anthropic.MessageCreateParams, 'messages' | 'tools' | 'system'> {
  const { tools, system } = parts;
  const messages = [...parts.messages];
  let left = cachedMessages;
  for (let index = messages.length - 1; index >= 0 && left > 0; index--) {
    const message = messages[index];
    if (message?.role !== 'user' || typeof message.content === 'string') continue;
    messages[index] = { role: 'user', content: withBreakpoint(message.content) };
    left--;
  }
  return {
    messages,
    ...(tools.length > 0 ? { tools: withBreakpoint(tools) } : {}),
    ...(system === undefined
      ? {}
      : { system: [{ type: 'text', text: system, cache_control: ephemeral }] }),
  };
}

function withBreakpoint<Part extends object>(parts: readonly Part[]): Part[] {
  return parts.map((part, index) =>
    index === parts.length - 1 ? { ...part, cache_control: ephemeral } : part,
  );
}
