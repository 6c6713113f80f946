import { isDeepStrictEqual } from 'node:util';
import type { CallToolResult } from '@longwire/client';
import { DEFAULT_JSON_BOUNDS, parseExactJson, toJson } from '@longwire/client/internal';
import type { ExitCode } from './exit-codes.js';
import { isJsonObject, type JsonObject } from './json-object.js';
import { escapeControls, sanitize, sanitizeLine } from './sanitize.js';
import { formatSize, type MediaFolder } from './save-media.js';
import type { Terminal } from './terminal.js';

/** Prints a tool's result for people. A tool that reports an error: 1, with a remark that says so. */
export async function printResult(
  terminal: Terminal,
  result: CallToolResult,
  options: { tool: string; media: MediaFolder },
): Promise<ExitCode> {
  for (const line of await describeResult(result, options)) terminal.print(line);
  return outcomeOf(terminal, result, options.tool);
}

/** The exit code of a result, with a remark if the tool reports an error. */
export function outcomeOf(terminal: Terminal, result: CallToolResult, tool: string): ExitCode {
  if (result.isError !== true) return 0;
  terminal.remark(terminal.remarkColors.red(`The tool ${sanitizeLine(tool)} reported an error.`));
  return 1;
}

/**
 * A tool's result as lines for people: text as it is, images and audio saved to files and named,
 * links listed, structured content as indented JSON. All of it sanitized.
 */
export async function describeResult(
  result: CallToolResult,
  options: { tool: string; media: MediaFolder },
): Promise<string[]> {
  const { structuredContent } = result;
  const content: readonly unknown[] = Array.isArray(result.content) ? result.content : [];
  const lines: string[] = [];
  for (const block of content) {
    // Servers repeat structured content as text, for clients that read only text.
    if (structuredContent !== undefined && isJsonOf(block, structuredContent)) continue;
    lines.push(await describeBlock(asBlock(block), options));
  }
  if (structuredContent !== undefined && !isRepetition(structuredContent, content)) {
    lines.push(pretty(structuredContent));
  }
  return lines;
}

/**
 * Whether structured content only repeats the content: some servers put their text into it, as the only
 * property of an object (`{ content: … }`, `{ result: … }`).
 */
function isRepetition(structuredContent: unknown, content: readonly unknown[]): boolean {
  const values = isJsonObject(structuredContent) ? Object.values(structuredContent) : [];
  if (values.length !== 1 || content.length === 0) return false;
  const [value] = values;
  const texts = content.map((block) => asBlock(block)['text']);
  return (
    isDeepStrictEqual(value, content) ||
    isDeepStrictEqual(Array.isArray(value) ? value : [value], texts)
  );
}

async function describeBlock(
  block: JsonObject,
  options: { tool: string; media: MediaFolder },
): Promise<string> {
  switch (block['type']) {
    case 'text':
      return sanitize(text(block['text']));
    case 'image':
    case 'audio':
      return saved(block['type'], block['data'], block['mimeType'], options);
    case 'resource_link':
      return `${sanitizeLine(text(block['title'] ?? block['name']))} <${sanitizeLine(text(block['uri']))}>`.trim();
    case 'resource':
      return describeResource(asBlock(block['resource']), options);
    default:
      return pretty(block);
  }
}

/** One block of content, as a message of a prompt has it. */
export function describeContent(
  block: unknown,
  options: { tool: string; media: MediaFolder },
): Promise<string> {
  return describeBlock(asBlock(block), options);
}

/** The content of one resource, under its address. */
export async function describeResource(
  resource: JsonObject,
  options: { tool: string; media: MediaFolder },
): Promise<string> {
  const uri = `<${sanitizeLine(text(resource['uri']))}>`;
  if (typeof resource['text'] === 'string') {
    return `${uri}\n${sanitize(resource['text']).trimEnd()}`;
  }
  return `${uri} ${await saved('resource', resource['blob'], resource['mimeType'], options)}`;
}

async function saved(
  kind: string,
  data: unknown,
  mimeType: unknown,
  { tool, media }: { tool: string; media: MediaFolder },
): Promise<string> {
  if (typeof data !== 'string') return `${kind} without data`;
  const type = typeof mimeType === 'string' ? mimeType : undefined;
  const { path, sizeBytes } = await media.save({ data, mimeType: type, source: tool });
  const details = [type && sanitizeLine(type, 60), formatSize(sizeBytes)].filter(Boolean);
  return `${kind} (${details.join(', ')}) saved to ${path}`;
}

function isJsonOf(block: unknown, value: unknown): boolean {
  const { type, text: json } = asBlock(block);
  if (type !== 'text' || typeof json !== 'string') return false;
  try {
    return isDeepStrictEqual(parseExactJson(json, DEFAULT_JSON_BOUNDS), value);
  } catch {
    return false;
  }
}

function pretty(value: unknown): string {
  return escapeControls(toJson(value, 2));
}

/** A content block as it was sent, which may not match the types. */
function asBlock(value: unknown): JsonObject {
  return isJsonObject(value) ? value : { type: 'unknown', value };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : value === undefined ? '' : toJson(value);
}
