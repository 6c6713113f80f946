/** A piece of a line. */
export type Inline =
  | { readonly type: 'text' | 'code'; readonly text: string }
  | { readonly type: 'strong' | 'emphasis'; readonly inside: readonly Inline[] }
  | { readonly type: 'link'; readonly href: string; readonly inside: readonly Inline[] };

/** A block of a text. */
export type Block =
  | { readonly type: 'heading'; readonly level: number; readonly inside: readonly Inline[] }
  | { readonly type: 'paragraph' | 'quote'; readonly inside: readonly Inline[] }
  | { readonly type: 'code'; readonly text: string }
  | {
      readonly type: 'list';
      readonly isOrdered: boolean;
      readonly items: readonly (readonly Inline[])[];
    }
  | { readonly type: 'rule' };

const FENCE = /^ {0,3}(```+|~~~+)/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*$/;
const ITEM = /^\s{0,6}(?:[-*+]|(\d{1,9})[.)])\s+(.*)$/;
const RULE = /^ {0,3}(?:-{3,}|\*{3,}|_{3,})\s*$/;

/** Spans inside one another, at most. */
const MAX_DEPTH = 6;

/**
 * The blocks of a text in the plainest kind of Markdown. There is no HTML in it: a tag is text. Links
 * are those of http and https; images are the link to them, since nothing is fetched.
 */
export function parseMarkdown(text: string): Block[] {
  const lines = text.split('\n');
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length;) {
    const [block, next] = blockAt(lines, at);
    if (block !== undefined) blocks.push(block);
    at = next;
  }
  return blocks;
}

function blockAt(lines: readonly string[], at: number): [Block | undefined, number] {
  const line = lines[at] ?? '';
  if (line.trim() === '') return [undefined, at + 1];
  const [, fence] = FENCE.exec(line) ?? [];
  if (fence !== undefined) {
    const isEnd = (one: string): boolean => one.trim().startsWith(fence) && one.trim().length <= 8;
    const found = lines.findIndex((one, index) => index > at && isEnd(one));
    const end = found === -1 ? lines.length : found;
    return [{ type: 'code', text: lines.slice(at + 1, end).join('\n') }, end + 1];
  }
  const [, signs, title = ''] = HEADING.exec(line) ?? [];
  if (signs !== undefined) {
    return [{ type: 'heading', level: signs.length, inside: parseInline(title) }, at + 1];
  }
  if (RULE.test(line)) return [{ type: 'rule' }, at + 1];
  if (ITEM.test(line)) return listAt(lines, at);
  const isQuote = line.startsWith('>');
  let end = at + 1;
  while (end < lines.length && isMore(lines[end] ?? '', isQuote)) end++;
  const inside = lines.slice(at, end).map((one) => (isQuote ? one.replace(/^>\s?/, '') : one));
  return [{ type: isQuote ? 'quote' : 'paragraph', inside: parseInline(inside.join('\n')) }, end];
}

function isMore(line: string, isQuote: boolean): boolean {
  if (isQuote) return line.startsWith('>');
  const begins = [FENCE, HEADING, ITEM, RULE, /^>/].some((block) => block.test(line));
  return line.trim() !== '' && !begins;
}

function listAt(lines: readonly string[], at: number): [Block, number] {
  const items: string[] = [];
  const isOrdered = ITEM.exec(lines[at] ?? '')?.[1] !== undefined;
  let end = at;
  for (; end < lines.length; end++) {
    const line = lines[end] ?? '';
    const [, number, text] = ITEM.exec(line) ?? [];
    const isItem = text !== undefined && (number !== undefined) === isOrdered;
    if (isItem) items.push(text);
    else if (/^\s{2,}\S/.test(line)) items.push(`${items.pop() ?? ''}\n${line.trim()}`);
    else break;
  }
  return [{ type: 'list', isOrdered, items: items.map((item) => parseInline(item)) }, end];
}

/** Code, links, strong, emphasis, in this order; none of them can look back, so that all is read once. */
const SPAN =
  /`([^`\n]{1,2000})`|!?\[([^[\]\n]{0,500})\]\(([^()\s]{1,2000})\)|(https?:\/\/[^\s<>()"'`]{1,2000})|\*\*([^*\n]{1,2000})\*\*|\*([^*\s][^*\n]{0,2000})\*|(?<![\p{L}\d])_([^_\s][^_\n]{0,2000})_(?![\p{L}\d])/gu;

/** The spans of a line. */
export function parseInline(text: string, depth = 0): Inline[] {
  if (depth > MAX_DEPTH) return [{ type: 'text', text }];
  const spans: Inline[] = [];
  let from = 0;
  for (const match of text.matchAll(SPAN)) {
    if (match.index > from) spans.push({ type: 'text', text: text.slice(from, match.index) });
    spans.push(spanOf(match, depth));
    from = match.index + match[0].length;
  }
  if (from < text.length) spans.push({ type: 'text', text: text.slice(from) });
  return spans;
}

function spanOf(match: RegExpExecArray, depth: number): Inline {
  const [whole, code, label, target, address, strong, star, underscore] = match;
  if (code !== undefined) return { type: 'code', text: code };
  if (label !== undefined && target !== undefined) {
    const href = safeLink(target);
    if (href === undefined) return { type: 'text', text: whole };
    return { type: 'link', href, inside: [{ type: 'text', text: label === '' ? target : label }] };
  }
  if (address !== undefined) {
    const href = safeLink(address);
    const inside = [{ type: 'text', text: address }] as const;
    return href === undefined ? inside[0] : { type: 'link', href, inside };
  }
  if (strong !== undefined) return { type: 'strong', inside: parseInline(strong, depth + 1) };
  return { type: 'emphasis', inside: parseInline(star ?? underscore ?? '', depth + 1) };
}

/** The address, if it is one that the page may link to: http or https. */
export function safeLink(address: string): string | undefined {
  if (!URL.canParse(address)) return undefined;
  const { protocol, href } = new URL(address);
  return protocol === 'http:' || protocol === 'https:' ? href : undefined;
}
