import { sanitize } from '../sanitize.js';

/** Characters of one text of a server. */
const maxTextLength = 2000;

/** The lines of a text that a server wrote. */
export function textLines(text: unknown): string[] {
  if (typeof text !== 'string') return [];
  const shown = text.length > maxTextLength ? `${text.slice(0, maxTextLength)}…` : text;
  const lines = sanitize(shown.replace(/\p{Surrogate}/gu, '\ufffd'))
    .replace(/[\u2028\u2029]/g, '\n')
    .trim()
    .split('\n');
  return lines.length === 1 && lines[0] === '' ? [] : lines.map((line) => line.trimEnd());
}

/**
 * A doc comment of these lines, with a line break at its end; nothing where there are none. What a server
 * wrote cannot end it, nor give an order to the compiler. A line that is ours begins with {@link tag}.
 */
export function docComment(lines: readonly string[], indent: string): string {
  const safe = lines.map(inComment);
  const [first] = safe;
  if (first === undefined) return '';
  if (safe.length === 1) return `${indent}/** ${first} */\n`;
  const inner = safe.map((line) => `${indent} *${line === '' ? '' : ` ${line}`}\n`);
  return `${indent}/**\n${inner.join('')}${indent} */\n`;
}

/** The line of a tag, such as `@deprecated`: what a server writes is none. */
export function tag(name: 'deprecated'): string {
  return `${TAG}${name}`;
}

/** Removed from every text of a server: only we can write it. */
const TAG = '\u0001@';

function inComment(line: string): string {
  if (line.startsWith(TAG)) return line.slice(1);
  return withoutEnd(line).replaceAll(/(?<![\w\\])@/g, '\\@');
}

/** A line in which no comment ends. */
export function withoutEnd(line: string): string {
  return line.replaceAll('*/', '*\\/');
}
