import type { CallToolResult, ContentBlock, Result } from '@modelcontextprotocol/client';
import { toJson } from '../untrusted/exact-json.js';
import { isObject } from '../untrusted/is-object.js';
import { ToolResultError } from '../errors.js';
import { ranButAnswered } from '../tools/output-schema.js';

/** Members that hold nothing that a person would miss. */
const SILENT_MEMBERS: ReadonlySet<string> = new Set(['_meta', 'content', 'isError', 'resultType']);

/**
 * Reads the result of a tool by its structure alone. Fields and kinds of content that are unknown here
 * are left to the program. A tool that answered has run, so nothing of its answer is lost for its form:
 * what is no content block becomes text, and is reported. Optional members that are null, and a
 * missing `content`, are not.
 */
export function toCallToolResult(
  result: Result,
  tool: string,
  report: (error: ToolResultError) => void,
): CallToolResult {
  if (isInForm(result)) return result as CallToolResult;
  const wrong: string[] = [];
  const { content, isError, structuredContent, ...rest } = result;
  const read: CallToolResult = {
    ...rest,
    content:
      content === undefined || content === null ? others(result, wrong) : blocks(content, wrong),
    ...(structuredContent !== undefined &&
      structuredContent !== null && {
        structuredContent: structuredContent as Record<string, unknown>,
      }),
    ...(isError !== undefined && isError !== null && { isError: flag(isError, wrong) }),
  };
  if (wrong.length > 0) {
    const what = `the result of ${tool} is not in the form of the protocol, and was corrected`;
    report(new ToolResultError(`${what}: ${wrong.join(', ')}`, { result: read }));
  }
  return read;
}

/** The error for an answer without a result object; the error holds what the tool said. */
export function noResultObject(value: unknown, tool: string, cause: unknown): ToolResultError {
  const content = value === null || value === undefined ? [] : blocks(value, []);
  const what = value === null ? 'null' : Array.isArray(value) ? 'a list' : `a ${typeof value}`;
  return ranButAnswered(tool, `its result is ${what} and no object`, { content }, cause);
}

/** Whether nothing has to be corrected; every result passes here. */
function isInForm({ content, isError, structuredContent }: Result): boolean {
  if (!Array.isArray(content) || structuredContent === null) return false;
  if (isError !== undefined && typeof isError !== 'boolean') return false;
  for (const block of content as unknown[]) if (!isBlock(block)) return false;
  return true;
}

function isBlock(block: unknown): block is ContentBlock {
  if (!isObject(block) || typeof block['type'] !== 'string') return false;
  return block['type'] !== 'text' || typeof block['text'] === 'string';
}

/** Content of any form as blocks. */
function blocks(content: unknown, wrong: string[]): ContentBlock[] {
  if (!Array.isArray(content)) {
    wrong.push(
      `its content is ${isObject(content) ? 'an object' : `a ${typeof content}`} and no list`,
    );
  }
  return (Array.isArray(content) ? (content as unknown[]) : [content]).flatMap((block, index) => {
    if (isBlock(block)) return [block];
    if (Array.isArray(content)) wrong.push(`content[${index}] is no content block`);
    return block === null || block === undefined ? [] : [asText(block)];
  });
}

/** A result without content: protocol 2024-10-07 had `toolResult`, and some servers give what they have. */
function others(result: Result, wrong: string[]): ContentBlock[] {
  if ('toolResult' in result) {
    wrong.push('it has toolResult, of protocol 2024-10-07, and no content');
    return [asText(result['toolResult'])];
  }
  const names = Object.keys(result).filter((name) => !SILENT_MEMBERS.has(name));
  // A structure needs no text beside it, whatever the protocol says.
  if (names.length === 0 || isObject(result['structuredContent'])) return [];
  wrong.push(`it has ${names.slice(0, 5).join(', ')}, and no content`);
  return [asText(Object.fromEntries(names.map((name) => [name, result[name]])))];
}

function asText(value: unknown): ContentBlock {
  if (typeof value === 'string') return { type: 'text', text: value };
  if (isObject(value) && typeof value['text'] === 'string' && !('type' in value)) {
    return { ...value, type: 'text', text: value['text'] };
  }
  return { type: 'text', text: toJson(value) ?? String(value) };
}

function flag(isError: unknown, wrong: string[]): boolean {
  if (typeof isError === 'boolean') return isError;
  wrong.push(`isError is a ${typeof isError}`);
  return typeof isError === 'string'
    ? !/^(?:false|no|0|)$/i.test(isError.trim())
    : Boolean(isError);
}
