import type Anthropic from '@anthropic-ai/sdk';
import { isDeepStrictEqual } from 'node:util';
import type { MessagePlace } from './api-rejection.js';
import { errorResultBlock } from './tool-results.js';

type Messages = readonly Anthropic.MessageParam[];
type Block = Anthropic.ContentBlockParam;
type ToolResult = Anthropic.ToolResultBlockParam;

const note = '[This content was left out: the API rejected it.]';
const noteBlock: Anthropic.TextBlockParam = { type: 'text', text: note };

/** The messages without the removed part, and a description of that part for a person. */
export interface RemovedContent {
  messages: Messages;
  what: string;
}

/**
 * Replaces the part that the API rejected with a note. A tool call is removed together with its
 * result, so that the rest stays valid.
 *
 * @returns undefined if there is nothing at that place, or only the note.
 */
export function removeContent(messages: Messages, place: MessagePlace): RemovedContent | undefined {
  const message = messages[place.message];
  if (message === undefined) return undefined;
  const before = blocksOf(message);
  const chosen = chosenIn(message, place.block);
  const [first] = chosen;
  if (first === undefined) return undefined;

  const removedCalls = new Set(
    chosen.flatMap((block) => (block.type === 'tool_use' ? [block.id] : [])),
  );
  const kept = before.flatMap((block): Block[] => {
    if (!chosen.includes(block)) return [block];
    if (block.type === 'tool_result') return [withoutPart(block, place.part)];
    // The API rejects thinking without a signature, and a note has none.
    return block.type === 'thinking' || block.type === 'redacted_thinking' ? [] : [noteBlock];
  });
  const after = kept.length > 0 ? kept : [noteBlock];
  if (isDeepStrictEqual(after, before)) return undefined;
  return {
    messages: messages.map((each, index): Anthropic.MessageParam => {
      if (index === place.message) return withContent(each, after);
      if (index === place.message + 1 && removedCalls.size > 0)
        return withoutResults(each, removedCalls);
      return each;
    }),
    what: describe(first, place, messages),
  };
}

/** One block; or all blocks of a message that can be the cause, which a text beside results is not. */
function chosenIn(message: Anthropic.MessageParam, block: number | undefined): readonly Block[] {
  const blocks = blocksOf(message);
  if (block !== undefined) return blocks.filter((_, index) => index === block);
  const others = blocks.filter(({ type }) => type !== 'text');
  return message.role === 'user' && others.length > 0 ? others : blocks;
}

/**
 * The newest image or document, except those that `isOwn` keeps: the API does not say which one it
 * could not read.
 */
export function newestMedia(
  messages: Messages,
  isOwn: (place: MessagePlace) => boolean,
): MessagePlace | undefined {
  for (const [message, each] of [...messages.entries()].reverse()) {
    for (const [block, found] of [...blocksOf(each).entries()].reverse()) {
      const place = { message, block, part: undefined };
      if (isOwn(place)) continue;
      if (isMedia(found)) return place;
      if (found.type !== 'tool_result' || typeof found.content !== 'object') continue;
      const part = found.content.findLastIndex(isMedia);
      if (part !== -1) return { ...place, part };
    }
  }
  return undefined;
}

function isMedia({ type }: { type: string }): boolean {
  return type === 'image' || type === 'document';
}

function blocksOf(message: Anthropic.MessageParam | undefined): readonly Block[] {
  if (message === undefined) return [];
  const { content } = message;
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content;
}

function withoutPart(result: ToolResult, part: number | undefined): ToolResult {
  const { content } = result;
  const found = part === undefined || typeof content !== 'object' ? undefined : content[part];
  if (found === undefined || typeof content !== 'object' || isDeepStrictEqual(found, noteBlock)) {
    return errorResultBlock(result.tool_use_id, note);
  }
  return { ...result, content: content.map((each) => (each === found ? noteBlock : each)) };
}

function withContent(message: Anthropic.MessageParam, content: Block[]): Anthropic.MessageParam {
  return { ...message, content } as Anthropic.MessageParam;
}

/** Results come first in a message, so notes follow the remaining results. */
function withoutResults(
  message: Anthropic.MessageParam,
  gone: ReadonlySet<string>,
): Anthropic.MessageParam {
  const blocks = blocksOf(message);
  const isGone = (block: Block): boolean =>
    block.type === 'tool_result' && gone.has(block.tool_use_id);
  const left = blocks.filter((block) => !isGone(block));
  const results = left.filter(({ type }) => type === 'tool_result');
  const others = left.filter(({ type }) => type !== 'tool_result');
  const notes = blocks.some(isGone) ? [noteBlock] : [];
  return withContent(message, [...results, ...notes, ...others]);
}

/** For example `an image in the result of market__chart`. */
function describe(block: Block, place: MessagePlace, messages: Messages): string {
  if (block.type === 'tool_use') return `the call of ${block.name}`;
  if (block.type !== 'tool_result') {
    const whose = messages[place.message]?.role === 'assistant' ? 'Claude' : 'the user';
    return `${withArticle(block.type)} of ${whose}`;
  }
  const use = blocksOf(messages[place.message - 1]).find(
    (each) => each.type === 'tool_use' && each.id === block.tool_use_id,
  );
  const result = `the result of ${use?.type === 'tool_use' ? use.name : 'a call'}`;
  const part =
    place.part === undefined || typeof block.content !== 'object'
      ? undefined
      : block.content[place.part];
  return part === undefined ? result : `${withArticle(part.type)} in ${result}`;
}

function withArticle(type: string): string {
  const name = type.replaceAll('_', ' ');
  return `${/^[aeiou]/.test(name) ? 'an' : 'a'} ${name}`;
}
