import type Anthropic from '@anthropic-ai/sdk';
import { DEFAULT_JSON_BOUNDS, parseExactJson, withDigits } from '@longwire/client/internal';

/** Arguments as Claude wrote them, by the input that the conversation holds instead. */
const exactInputs = new WeakMap<object, unknown>();

/**
 * The calls of an answer, with their integers as Claude wrote them: the SDK reads each as a number, which
 * changes those beyond 2^53. `written` is the JSON of each block, by its index. The conversation is sent
 * as JSON, and has such an integer as a text of its digits.
 */
export function withExactInputs(
  content: readonly Anthropic.ContentBlock[],
  written: ReadonlyMap<number, string>,
): Anthropic.ContentBlock[] {
  return content.map((block, index) => {
    const json = written.get(index);
    if (block.type !== 'tool_use' || json === undefined) return block;
    const exact = exactOf(json);
    const input = withDigits(exact);
    if (input === exact || typeof input !== 'object' || input === null) return block;
    exactInputs.set(input, exact);
    return { ...block, input };
  });
}

/** The arguments that a call is made with. */
export function exactInput({ input }: Anthropic.ToolUseBlock): unknown {
  if (typeof input !== 'object' || input === null) return input;
  return exactInputs.get(input) ?? input;
}

function exactOf(json: string): unknown {
  try {
    return parseExactJson(json, DEFAULT_JSON_BOUNDS);
  } catch {
    // What the SDK parses is checked elsewhere.
    return undefined;
  }
}
