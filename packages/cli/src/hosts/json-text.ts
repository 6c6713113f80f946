import { findNodeAtLocation, parseTree, type Node } from 'jsonc-parser';

/**
 * Puts a property at the end of an object in JSON with comments. Every byte that is there stays, in its
 * order; what is new is laid out as the properties before it are. A text without that object stays as it
 * is.
 */
export function insertProperty(
  text: string,
  path: readonly string[],
  [name, value]: readonly [name: string, value: object],
): string {
  const object = objectAt(text, path);
  if (object === undefined) return text;
  const { eol, unit } = layoutOf(text);
  const last = object.children?.at(-1);
  const end = last === undefined ? object.offset + 1 : endOf(last);
  const comma = last === undefined ? undefined : commaAfter(text, end);
  const at = lineEnd(text, comma === undefined ? end : comma + 1);
  const isAtLineEnd = /^[\r\n]/.test(text.slice(at));
  const isOnLines = last === undefined || isAtLineEnd || isFirstOnLine(text, last.offset);
  const indent =
    last === undefined ? indentOf(text, object.offset) + unit : indentOf(text, last.offset);
  const json = isOnLines
    ? JSON.stringify(value, null, unit).replaceAll('\n', eol + indent)
    : JSON.stringify(value);
  const isClosedHere = last === undefined && !isAtLineEnd;
  const property = [
    isOnLines ? eol + indent : ' ',
    `${JSON.stringify(name)}: ${json}`,
    comma === undefined ? '' : ',',
    isClosedHere ? eol + indentOf(text, object.offset) : '',
  ].join('');
  const separator = last === undefined || comma !== undefined ? '' : ',';
  return text.slice(0, end) + separator + text.slice(end, at) + property + text.slice(at);
}

/** Takes a property out of an object. Comments stay, those beside it, too. */
export function removeProperty(text: string, path: readonly string[], name: string): string {
  const properties = objectAt(text, path)?.children ?? [];
  const index = properties.findIndex((property) => property.children?.[0]?.value === name);
  const property = properties[index];
  if (property === undefined) return text;
  const { offset } = property;
  const end = endOf(property);
  const following = commaAfter(text, end);
  const previous = properties[index - 1];
  const preceding = previous === undefined ? undefined : commaAfter(text, endOf(previous));
  // The comma that parts it from the next, else from the one before.
  const [comma, isBefore] =
    following !== undefined ? [following, false] : ([preceding, true] as const);
  const cuts: (readonly [from: number, to: number])[] = [[offset, end]];
  if (comma !== undefined) {
    if (isBefore) cuts.unshift([comma, comma + 1]);
    else cuts.push([comma, comma + 1]);
  }
  let left = text;
  for (const [from, to] of cuts.toReversed()) {
    left = withoutBlankLine(left.slice(0, from) + left.slice(to), from);
  }
  return left;
}

/** How a text is laid out: its indentation and the ends of its lines. */
function layoutOf(text: string): { eol: string; unit: string } {
  const [, unit = '  '] = /^([ \t]+)"/m.exec(text) ?? [];
  return { eol: text.includes('\r\n') ? '\r\n' : '\n', unit };
}

function objectAt(text: string, path: readonly string[]): Node | undefined {
  const root = parseTree(text, [], { allowTrailingComma: true });
  const node = root && findNodeAtLocation(root, [...path]);
  return node?.type === 'object' ? node : undefined;
}

function endOf({ offset, length }: Node): number {
  return offset + length;
}

/** Blanks, comments and line ends from a place. */
function* partsFrom(text: string, from: number): Generator<{ at: number; part: string }> {
  const pattern = /\/\/[^\r\n]*|\/\*[^]*?\*\/|\r\n|[\r\n]|[ \t]+/y;
  for (pattern.lastIndex = from; ;) {
    const at = pattern.lastIndex;
    const part = pattern.exec(text)?.[0];
    if (part === undefined) return;
    yield { at, part };
  }
}

/** Where the next comma is, if nothing but blanks and comments is before it. */
function commaAfter(text: string, from: number): number | undefined {
  let end = from;
  for (const { at, part } of partsFrom(text, from)) end = at + part.length;
  return text[end] === ',' ? end : undefined;
}

/** The end of the line, where only comments follow on it; else the place itself. */
function lineEnd(text: string, from: number): number {
  for (const { at, part } of partsFrom(text, from)) if (/[\r\n]/.test(part)) return at;
  return from;
}

function lineStart(text: string, at: number): number {
  return Math.max(text.lastIndexOf('\n', at - 1), text.lastIndexOf('\r', at - 1)) + 1;
}

function isFirstOnLine(text: string, at: number): boolean {
  return text.slice(lineStart(text, at), at).trim() === '';
}

function indentOf(text: string, at: number): string {
  return /^[ \t]*/.exec(text.slice(lineStart(text, at), at))?.[0] ?? '';
}

/** The same without the line at a place, if it is blank; else with one blank there at most. */
function withoutBlankLine(text: string, at: number): string {
  const start = lineStart(text, at);
  const [rest = '', end = ''] = /^[ \t]*(\r\n|[\r\n]|$)/.exec(text.slice(at)) ?? [];
  if (end !== '' && text.slice(start, at).trim() === '') {
    return text.slice(0, start) + text.slice(at + rest.length);
  }
  const isDouble = /[ \t]/.test(text[at - 1] ?? '') && /[ \t]/.test(text[at] ?? '');
  return isDouble ? text.slice(0, at) + text.slice(at + 1) : text;
}
