import type Anthropic from '@anthropic-ai/sdk';

/**
 * The same blocks, with ids of tool calls that the API takes: each is there once in a conversation,
 * and of its letters. A call whose id was used before could not be told from the earlier one, and
 * every later request would be refused.
 */
export function withUniqueIds(
  content: readonly Anthropic.ContentBlock[],
  usedBefore: Iterable<string>,
): Anthropic.ContentBlock[] {
  const used = new Set(usedBefore);
  return content.map((block) => {
    if (block.type !== 'tool_use') return block;
    const id = uniqueId(block.id, used);
    used.add(id);
    return id === block.id ? block : { ...block, id };
  });
}

function uniqueId(given: string, used: ReadonlySet<string>): string {
  const base = given.replace(/[^a-zA-Z0-9_-]/g, '_') || 'toolu';
  let id = base;
  for (let count = 2; used.has(id); count++) id = `${base}_${count}`;
  return id;
}
