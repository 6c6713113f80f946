import { isDeepStrictEqual } from 'node:util';
import type { CallToolResult } from '@longwire/client';
import { DEFAULT_JSON_BOUNDS, parseExactJson, toJson } from '@longwire/client/internal';
import { isJsonObject, type JsonObject } from './json-object.js';

/** One thing of a result, as the server sent it: nothing of it is sanitized. */
export type Part =
  | { kind: 'text'; text: string }
  | { kind: 'media'; what: 'image' | 'audio'; data: unknown; mimeType: string | undefined }
  | { kind: 'link'; title: string; uri: string }
  /** The content of a resource: a text, or data. */
  | { kind: 'resource'; uri: string; text: string }
  | { kind: 'blob'; uri: string; data: unknown; mimeType: string | undefined }
  | { kind: 'json'; value: unknown };

/** The parts of a tool's result; what its structured content only repeats is left out. */
export function resultParts(result: CallToolResult): Part[] {
  const { structuredContent } = result;
  const content: readonly unknown[] = Array.isArray(result.content) ? result.content : [];
  // Servers repeat structured content as text, for clients that read only text.
  const parts = content
    .filter((block) => structuredContent === undefined || !isJsonOf(block, structuredContent))
    .map(contentPart);
  if (structuredContent !== undefined && !isRepetition(structuredContent, content)) {
    parts.push({ kind: 'json', value: structuredContent });
  }
  return parts;
}

/** One block of content, which may not match the types. */
export function contentPart(value: unknown): Part {
  const block = asBlock(value);
  const { type, data } = block;
  switch (type) {
    case 'text':
      return { kind: 'text', text: text(block['text']) };
    case 'image':
    case 'audio':
      return { kind: 'media', what: type, data, mimeType: mimeTypeOf(block) };
    case 'resource_link':
      return {
        kind: 'link',
        title: text(block['title'] ?? block['name']),
        uri: text(block['uri']),
      };
    case 'resource':
      return resourcePart(asBlock(block['resource']));
    default:
      return { kind: 'json', value: block };
  }
}

/** The content of one resource. */
export function resourcePart(resource: JsonObject): Part {
  const uri = text(resource['uri']);
  const { text: body, blob: data } = resource;
  if (typeof body === 'string') return { kind: 'resource', uri, text: body };
  return { kind: 'blob', uri, data, mimeType: mimeTypeOf(resource) };
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

function isJsonOf(block: unknown, value: unknown): boolean {
  const { type, text: json } = asBlock(block);
  if (type !== 'text' || typeof json !== 'string') return false;
  try {
    return isDeepStrictEqual(parseExactJson(json, DEFAULT_JSON_BOUNDS), value);
  } catch {
    return false;
  }
}

function asBlock(value: unknown): JsonObject {
  return isJsonObject(value) ? value : { type: 'unknown', value };
}

function mimeTypeOf({ mimeType }: JsonObject): string | undefined {
  return typeof mimeType === 'string' ? mimeType : undefined;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : value === undefined ? '' : toJson(value);
}
