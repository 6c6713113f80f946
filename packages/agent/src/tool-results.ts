import type Anthropic from '@anthropic-ai/sdk';
import type { CallToolResult } from '@longwire/client';
import {
  DEFAULT_JSON_BOUNDS,
  type SentData,
  isObject,
  parseExactJson,
  readSentData,
  toJson,
} from '@longwire/client/internal';
import { isDeepStrictEqual } from 'node:util';
import { mediaOf } from './media.js';
import { TextBudget, isBlank, wellFormed } from './text.js';
import type { UserBlock } from './user-content.js';

type ResultBlock = UserBlock;

/** Options of {@link toolResultBlock}. */
export interface ToolResultOptions {
  /** The most characters of text that are shown; a note says what was cut. */
  maxResultChars: number;
  /** What is wrong with the result; added after it. Default: nothing. */
  note?: string | undefined;
}

/**
 * A tool's result as Claude sees it. Data is classified by its bytes: images, PDF files and text are
 * shown as such; audio and other binary data become a note. A server's result may not match its types.
 */
export function toolResultBlock(
  id: string,
  result: CallToolResult,
  { maxResultChars, note }: ToolResultOptions,
): Anthropic.ToolResultBlockParam {
  const isError = result.isError === true;
  const content: unknown = result.content;
  const blocks = (Array.isArray(content) ? (content as unknown[]) : [content]).flatMap((block) =>
    showBlock(block, isError),
  );
  if (result.structuredContent !== undefined && !says(blocks, result.structuredContent)) {
    blocks.push(text(toJson(result.structuredContent)));
  }
  const fitted = fit(blocks, maxResultChars);
  if (note === undefined) return resultBlock(id, fitted, isError);
  return resultBlock(id, [...fitted, text(wellFormed(note))], isError);
}

/** How much of content that no tool gave is shown. */
const maxContentChars = 400_000;

/**
 * Content of a server as Claude is shown it, to be sent as part of a message: of a prompt, a resource, a
 * sampling request. Long text is cut, and a note says so. Empty if nothing is left.
 */
export function blocksOf(content: readonly unknown[]): UserBlock[] {
  return fit(
    content.flatMap((block) => showBlock(block, false)),
    maxContentChars,
  );
}

/** A result that says why the tool gave none. */
export function errorResultBlock(id: string, message: string): Anthropic.ToolResultBlockParam {
  return resultBlock(id, [text(wellFormed(message))], true);
}

function resultBlock(
  id: string,
  blocks: ResultBlock[],
  isError: boolean,
): Anthropic.ToolResultBlockParam {
  const nothing = isError
    ? 'The tool reported an error without saying which.'
    : 'The tool returned nothing.';
  return {
    type: 'tool_result',
    tool_use_id: id,
    content: blocks.length > 0 ? blocks : [text(`(${nothing})`)],
    ...(isError ? { is_error: true } : {}),
  };
}

function text(value: string): Anthropic.TextBlockParam {
  return { type: 'text', text: value };
}

function showBlock(block: unknown, isError: boolean): ResultBlock[] {
  if (!isObject(block)) return block === null || block === undefined ? [] : [text(asText(block))];
  switch (typeOf(block)) {
    case 'text':
      return [text(asText(block['text'] ?? ''))];
    case 'image':
      return showData('Image', block, isError);
    case 'audio': {
      const data = readSentData(string(block['data']) ?? '');
      return [text(`[${describe('Audio', block, data)}, which cannot be shown.]`)];
    }
    case 'resource_link':
      return [text(describeLink(block))];
    case 'resource':
      return showResource(block['resource'], isError);
    default:
      return [
        text(`[Content of the type ${JSON.stringify(block['type'])}, which cannot be shown.]`),
      ];
  }
}

/** The type of a block, or the type that its content implies. */
function typeOf(block: Record<string, unknown>): unknown {
  if (block['type'] !== undefined) return block['type'];
  if (typeof block['text'] === 'string') return 'text';
  if (typeof block['data'] === 'string') return 'image';
  return isObject(block['resource']) ? 'resource' : undefined;
}

function showResource(resource: unknown, isError: boolean): ResultBlock[] {
  if (!isObject(resource)) return [];
  const { text: contents, blob } = resource;
  if (typeof contents === 'string') {
    return [text(`[${describe('Resource', resource, undefined)}]\n${contents}`)];
  }
  return showData('Resource', { ...resource, data: blob }, isError);
}

/** An image or a resource, by its bytes. */
function showData(
  kind: 'Image' | 'Resource',
  block: Record<string, unknown>,
  isError: boolean,
): ResultBlock[] {
  const sent = string(block['data']);
  const data = readSentData(sent ?? '');
  const mimeType = string(block['mimeType']) ?? data.mimeType;
  const media = mediaOf(data.base64, mimeType);
  const what = describe(kind, { ...block, mimeType }, sent === undefined ? undefined : data);
  if (media.kind === 'text') return [text(`[${what}]\n${media.text}`)];
  if (media.kind === 'other') return [text(`[${what}, not shown: ${media.problem}.]`)];
  // "all content must be type 'text' if 'is_error' is true"
  if (isError) return [text(`[${what}, which cannot be shown as part of an error.]`)];
  return kind === 'Image' && media.kind === 'image'
    ? [media.block]
    : [text(`[${what}]`), media.block];
}

function describeLink(link: Record<string, unknown>): string {
  const lines = [
    `[${describe('Link to a resource', link, undefined)}. Its contents are not here.]`,
  ];
  const title = string(link['title']) ?? string(link['name']);
  if (title !== undefined) lines.push(title);
  const description = string(link['description']);
  if (description !== undefined) lines.push(description);
  return lines.join('\n');
}

/** For example `Resource file:///a.bin (application/pdf, 1024 bytes)`. */
function describe(
  kind: string,
  block: Record<string, unknown>,
  data: SentData | undefined,
): string {
  const details: string[] = [];
  const mimeType = string(block['mimeType']);
  if (mimeType !== undefined) details.push(mimeType);
  const bytes = data === undefined ? block['size'] : Buffer.byteLength(data.base64, 'base64');
  if (typeof bytes === 'number') details.push(`${bytes} bytes`);
  const uri = string(block['uri']);
  return `${kind}${uri === undefined ? '' : ` ${uri}`}${details.length > 0 ? ` (${details.join(', ')})` : ''}`;
}

/** Text as it is, anything else as JSON. */
function asText(value: unknown): string {
  return typeof value === 'string' ? value : (toJson(value) ?? String(value));
}

function string(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Servers should repeat structured content as text, for clients that know only text. */
function says(blocks: readonly ResultBlock[], structured: unknown): boolean {
  return blocks.some((block) => {
    if (block.type !== 'text' || !/^\s*[{[]/.test(block.text)) return false;
    try {
      return isDeepStrictEqual(parseExactJson(block.text, DEFAULT_JSON_BOUNDS), structured);
    } catch {
      return false;
    }
  });
}

/** Drops blank text, which the API rejects, and cuts long text. */
function fit(blocks: readonly ResultBlock[], maxResultChars: number): ResultBlock[] {
  const budget = new TextBudget(maxResultChars);
  const fitted = blocks.flatMap((block): ResultBlock[] => {
    if (block.type !== 'text') return [block];
    const shown = wellFormed(budget.take(block.text));
    return isBlank(shown) ? [] : [text(shown)];
  });
  if (budget.note !== undefined) fitted.push(text(budget.note));
  return fitted;
}
