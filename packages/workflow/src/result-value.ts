import type { CallToolResult, ContentBlock } from '@longwire/client';

/**
 * What expressions see of a result: its structured content, else its text (parsed, where that is a
 * JSON object or list), else its content blocks as they are.
 */
export function valueOf({ structuredContent, content }: CallToolResult): unknown {
  if (structuredContent !== undefined) return structuredContent;
  const text = textOf(content);
  if (text === undefined) return content;
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** The text of content blocks, or undefined where there is none. */
export function textOf(content: readonly ContentBlock[]): string | undefined {
  const texts = content.flatMap((block) => (block.type === 'text' ? [block.text] : []));
  return texts.length === 0 ? undefined : texts.join('\n');
}
