import type { Buffer } from 'node:buffer';
import { stripVTControlCharacters, TextDecoder } from 'node:util';

/** How much of a body is looked at for its excerpt, in bytes. */
export const EXCERPT_BYTES = 2048;
const EXCERPT_CHARACTERS = 500;
/** How much of what a web page says is shown. */
const PAGE_CHARACTERS = 100;
/** One character in so many may be none that is written; where there are more, it is no text. */
const UNWRITTEN_IN = 4;
/** The beginning of an error's body. */
export interface Excerpt {
  /** What the body says, at most 500 characters; empty if it is no text. */
  text: string;
  /** The same as the end of a message; for what is no text, its type and size. */
  said: string;
}

/** Makes an excerpt of a body. A picture or compressed data is only named by its type and size. */
export function excerptOf(body: Buffer, contentType: unknown): Excerpt {
  if (body.length === 0) return { text: '', said: '' };
  const type = typeof contentType === 'string' ? contentType : '';
  const charset = /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(type)?.[1];
  const decoded = decoderOf(charset).decode(body.subarray(0, EXCERPT_BYTES), { stream: true });
  if (!isText(decoded)) {
    const size = body.length < EXCERPT_BYTES ? `${body.length} bytes` : 'many bytes';
    return { text: '', said: ` with ${size} that are no text (${shownType(contentType)})` };
  }
  const text = decoded.replace(/\s+/g, ' ').trim().slice(0, EXCERPT_CHARACTERS);
  return { text, said: text === '' ? '' : isPage(text) ? saidByPage(text) : `: ${text}` };
}

/** Whether a text is the beginning of a web page. */
function isPage(text: string): boolean {
  return /^<(?:!doctype html|html)\b/i.test(text);
}

/** What people read of a page, and not what it is made of. */
function saidByPage(page: string): string {
  const read = page
    .replaceAll(/<!--.*?(?:-->|$)/gs, ' ')
    .replaceAll(/<(style|script)\b.*?(?:<\/\1\s*>|$)/gis, ' ')
    .replaceAll(/<[^>]*(?:>|$)/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
  const beginning = read.length > PAGE_CHARACTERS ? `${read.slice(0, PAGE_CHARACTERS)}…` : read;
  return ` with a web page${beginning === '' ? '' : `: ${beginning}`}`;
}

/** The beginning of a text that a server sent, for a message. */
export function quoted(text: string, maxLength: number): string {
  const beginning = text.slice(0, maxLength);
  return isText(beginning) ? beginning : `${text.length} characters that are no text`;
}

/** The type of a body, for a message. */
export function shownType(contentType: unknown): string {
  return typeof contentType === 'string' && contentType !== ''
    ? contentType.slice(0, 100)
    : 'no content type';
}

function isText(text: string): boolean {
  // What is written for a terminal, in colours, is text.
  const plain = stripVTControlCharacters(text);
  const unwritten = plain.match(/(?!\s)[\p{Cc}\uFFFD]/gu)?.length ?? 0;
  return !text.includes('\0') && unwritten * UNWRITTEN_IN <= text.length;
}

function decoderOf(charset: string | undefined): TextDecoder {
  try {
    return new TextDecoder(charset);
  } catch {
    return new TextDecoder();
  }
}
