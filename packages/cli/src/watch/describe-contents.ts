import type { ReadResourceResult } from '@longwire/client';
import { resourcePart } from '../result-parts.js';
import { sanitize, sanitizeLine } from '../sanitize.js';
import { formatSize, mediaBytes } from '../save-media.js';

/** How much of a text is shown each time. */
const maxLength = 16 * 1024;
const maxLines = 200;

/** A text of one line that stands beside its URI. */
const maxBeside = 200;

/**
 * What a watched resource holds, for people: a short text beside its URI, a longer one below it, cut where
 * it is long, and of data what it is. Sanitized.
 */
export function describeContents(uri: string, contents: ReadResourceResult['contents']): string {
  const shown = contents.map((content) => {
    const part = resourcePart({ ...content });
    if (part.kind === 'resource') return cut(sanitize(part.text.slice(0, 2 * maxLength)).trimEnd());
    if (part.kind !== 'blob' || typeof part.data !== 'string') return 'nothing';
    const { bytes, mimeType } = mediaBytes(part.data, part.mimeType);
    return [sanitizeLine(mimeType ?? 'data', 60), formatSize(bytes.length)].join(', ');
  });
  const text = shown.join('\n') || 'empty';
  const isShort = text.length <= maxBeside && !text.includes('\n');
  return `${sanitizeLine(uri)}${isShort ? `: ${text}` : `\n${text.replace(/^(?=.)/gm, '  ')}`}`;
}

function cut(text: string): string {
  const lines = text.slice(0, maxLength).split('\n');
  const isWhole = text.length <= maxLength && lines.length <= maxLines;
  return isWhole
    ? text
    : `${lines.slice(0, maxLines).join('\n')}\n… (longwire read prints all of it)`;
}
