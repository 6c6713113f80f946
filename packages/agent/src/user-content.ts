import type Anthropic from '@anthropic-ai/sdk';
import { isBlank, wellFormed } from './text.js';

/** What can be sent to Claude beside plain text. */
export type UserBlock =
  Anthropic.TextBlockParam | Anthropic.ImageBlockParam | Anthropic.DocumentBlockParam;

/**
 * Blocks for the conversation: without blank text, which the API rejects, and without cache
 * breakpoints, of which the API allows four in all.
 *
 * @throws TypeError if nothing remains.
 */
export function userContent(content: string | readonly UserBlock[]): UserBlock[] {
  const blocks = typeof content === 'string' ? [{ type: 'text' as const, text: content }] : content;
  const kept = blocks.flatMap((block): UserBlock[] => {
    const { cache_control: _, ...rest } = block;
    if (rest.type !== 'text') return [rest];
    return isBlank(rest.text) ? [] : [{ ...rest, text: wellFormed(rest.text) }];
  });
  if (kept.length === 0) throw new TypeError('the message to send is empty');
  return kept;
}
