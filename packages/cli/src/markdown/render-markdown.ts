import { marked, type MarkedToken, type Token, type Tokens } from 'marked';
import { wrap } from '../display-width.js';
import { sanitize } from '../sanitize.js';
import { renderTable } from '../table.js';
import type { Terminal } from '../terminal.js';

/** What is nested deeper is shown as it was written. */
const maxDepth = 12;

/**
 * Renders Markdown for a terminal, as lines that fit. The text is sanitized already. Without colours the
 * marks stay where nothing else shows what they say.
 */
export function renderMarkdown(
  text: string,
  terminal: Pick<Terminal, 'colors' | 'width'>,
): string[] {
  const width = Math.max(20, terminal.width ?? 80);
  let tokens: Token[];
  try {
    tokens = marked.lexer(text);
  } catch (error) {
    // The parser has no bound for what is nested.
    if (error instanceof RangeError) return wrapped(text.trimEnd(), width);
    throw error;
  }
  return new Renderer(terminal.colors).blocks(tokens, width, 0);
}

class Renderer {
  readonly #colors: Terminal['colors'];

  constructor(colors: Terminal['colors']) {
    this.#colors = colors;
  }

  blocks(tokens: readonly Token[], width: number, depth: number): string[] {
    if (depth > maxDepth) return tokens.flatMap(({ raw }) => raw.trimEnd().split('\n'));
    const lines: string[] = [];
    for (const token of tokens as readonly MarkedToken[]) {
      const block = this.#block(token, width, depth);
      if (block.length === 0) continue;
      // What belongs to the item of a list follows it without a gap.
      if (lines.length > 0 && token.type !== 'list' && depth === 0) lines.push('');
      lines.push(...block);
    }
    return lines;
  }

  #block(token: MarkedToken, width: number, depth: number): string[] {
    const { bold, cyan, dim, isColorSupported } = this.#colors;
    switch (token.type) {
      case 'space':
      case 'def':
        return [];
      case 'heading': {
        const mark = isColorSupported ? '' : `${'#'.repeat(token.depth)} `;
        return wrap(bold(mark + this.#inline(token.tokens)), width);
      }
      case 'paragraph':
      case 'text':
        return this.#prose(token, width);
      case 'code':
        return token.text.split('\n').map((line) => `  ${cyan(line)}`);
      case 'blockquote':
        return this.blocks(token.tokens, Math.max(10, width - 2), depth + 1).map(
          (line) => `${dim('│')} ${line}`,
        );
      case 'list':
        return this.#list(token, width, depth);
      case 'hr':
        return [dim('─'.repeat(Math.min(width, 40)))];
      case 'table':
        return this.#table(token, width);
      default:
        return wrapped(token.raw.trimEnd(), width);
    }
  }

  #prose(token: Tokens.Paragraph | Tokens.Text, width: number): string[] {
    return wrapped(
      token.tokens === undefined ? decoded(token.text) : this.#inline(token.tokens),
      width,
    );
  }

  #list({ items, ordered, start }: Tokens.List, width: number, depth: number): string[] {
    const first = typeof start === 'number' ? start : 1;
    return items.flatMap((item, index) => {
      const box = item.task ? `[${item.checked === true ? 'x' : ' '}] ` : '';
      const mark = `${ordered ? `${first + index}.` : '•'} ${box}`;
      const indent = ' '.repeat(mark.length);
      const inner = item.tokens.filter(({ type }) => type !== 'checkbox');
      const lines = this.blocks(inner, Math.max(10, width - mark.length), depth + 1);
      return (lines.length === 0 ? [''] : lines).map(
        (line, row) => `${row === 0 ? mark : indent}${line}`,
      );
    });
  }

  #table({ header, rows }: Tokens.Table, width: number): string[] {
    const cell = ({ tokens }: Tokens.TableCell): string =>
      this.#inline(tokens).replaceAll('\n', ' ');
    const terminal = { width, colors: this.#colors };
    return renderTable(
      header.map(cell),
      rows.map((row) => row.map(cell)),
      terminal,
    ).split('\n');
  }

  #inline(tokens: readonly Token[], depth = 0): string {
    if (depth > maxDepth) return tokens.map(({ raw }) => raw).join('');
    const { bold, cyan, dim, italic, strikethrough, underline, isColorSupported } = this.#colors;
    return (tokens as readonly MarkedToken[])
      .map((token) => {
        const inner = (): string =>
          'tokens' in token && token.tokens !== undefined
            ? this.#inline(token.tokens, depth + 1)
            : '';
        switch (token.type) {
          case 'strong':
            return bold(inner());
          case 'em':
            return italic(inner());
          case 'del':
            return strikethrough(inner());
          case 'codespan':
            return isColorSupported ? cyan(token.text) : token.raw;
          case 'br':
            return '\n';
          case 'link': {
            const label = inner();
            const isSame = label === token.href || `mailto:${label}` === token.href;
            return isSame ? underline(label) : `${underline(label)} ${dim(`(${token.href})`)}`;
          }
          case 'image':
            return `${token.text} ${dim(`(${token.href})`)}`;
          case 'text':
            return token.tokens === undefined ? decoded(token.text) : inner();
          case 'escape':
            return token.text;
          default:
            return token.raw;
        }
      })
      .join('');
  }
}

/** Text with line breaks of its own, each line wrapped. */
function wrapped(text: string, width: number): string[] {
  return text.split('\n').flatMap((line) => wrap(line, width));
}

const entities: Readonly<Record<string, string>> = {
  '&lt;': '<',
  '&gt;': '>',
  '&amp;': '&',
  '&quot;': '"',
  '&#39;': "'",
};

/** The parser has replaced references such as `&#27;`: what they stand for is not sanitized yet. */
function decoded(text: string): string {
  return sanitize(
    text.replace(/&(?:lt|gt|amp|quot|#39);/g, (entity) => entities[entity] ?? entity),
  );
}
