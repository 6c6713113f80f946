import type { CallToolResult, ContentBlock } from '@longwire/client';
import { DEFAULT_JSON_BOUNDS, parseExactJson } from '@longwire/client/internal';

/**
 * What expressions see of a result: its structured content, else its text (parsed if it is a JSON
 * object or list of at most 1 000 000 values, 200 deep), else its content blocks.
 */
export function valueOf({ structuredContent, content }: CallToolResult): unknown {
  if (structuredContent !== undefined) return structuredContent;
  const text = textOf(content);
  if (text === undefined) return content;
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return parseExactJson(text, DEFAULT_JSON_BOUNDS);
  } catch {
    return text;
  }
}

/** The text of content blocks, or undefined if there is none. */
export function textOf(content: readonly ContentBlock[]): string | undefined {
  const texts = content.flatMap((block) => (block.type === 'text' ? [block.text] : []));
  return texts.length === 0 ? undefined : texts.join('\n');
}
