import type { CallToolResult, Result } from '@modelcontextprotocol/client';
import { LongwireError } from '../errors.js';

/** Reads a result that says no more than that it worked. */
export function ignoreResult(): void {}

/**
 * Reads the result of a tool by its structure alone: fields and kinds of content that nobody here
 * knows are the program's to judge. A missing `content` is an empty one.
 *
 * @throws LongwireError `protocol`
 */
export function toCallToolResult(result: Result, what: string): CallToolResult {
  const content = result['content'];
  if (Array.isArray(content)) return result as CallToolResult;
  if (content === undefined) return { ...result, content: [] };
  throw new LongwireError(`the server's answer to ${what} has content that is no array`, {
    code: 'protocol',
    certainty: 'answered',
  });
}
