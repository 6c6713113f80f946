import type Anthropic from '@anthropic-ai/sdk';

/**
 * The same blocks, with ids of tool calls that the API accepts: unique in a conversation, and made of
 * its letters. With a repeated id, every later request would be rejected.
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
