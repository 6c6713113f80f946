import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import pc from 'picocolors';
import { beforeAll, describe, expect, it } from 'vitest';
import { displayWidth, loadWideText } from '../../src/display-width.ts';
import { BlockSplitter } from '../../src/markdown/block-splitter.ts';
import { MarkdownWriter } from '../../src/markdown/markdown-writer.ts';
import { renderMarkdown } from '../../src/markdown/render-markdown.ts';
import { Redactor } from '../../src/redact.ts';
import { sanitize } from '../../src/sanitize.ts';
import { Terminal } from '../../src/terminal.ts';

beforeAll(() => loadWideText());

const plain = { colors: pc.createColors(false), width: 40 };
const coloured = { colors: pc.createColors(true), width: 40 };

describe('Markdown for a terminal', () => {
  it('keeps what cannot be seen otherwise where there are no colours', () => {
    const text = '# Title\n\nSome **bold** and `code`, [docs](https://a.example/b).';
    expect(renderMarkdown(text, plain)).toEqual([
      '# Title',
      '',
      'Some bold and `code`, docs',
      '(https://a.example/b).',
    ]);
    expect(renderMarkdown(text, coloured)[0]).toBe('\u001b[1mTitle\u001b[22m');
  });

  it('shows lists in lists, quotes, tasks and entities', () => {
    const text =
      '1. one\n   - inner &lt;b&gt;\n2. two\n\n> said\n> more\n\n- [x] done\n- [ ] open\n\n---';
    expect(renderMarkdown(text, plain)).toEqual([
      '1. one',
      '   • inner <b>',
      '2. two',
      '',
      '│ said',
      '│ more',
      '• [x] done',
      '• [ ] open',
      '',
      '─'.repeat(40),
    ]);
  });

  it('fits tables, also wide ones', () => {
    const cells = 'word '.repeat(30);
    const text = `| a | b |\n|---|---|\n| x | ${cells} |\n| 表 | y |`;
    const lines = renderMarkdown(text, plain);
    for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(40);
    expect(lines.length).toBeGreaterThan(4);
  });

  it('has an end for what is nested without one', () => {
    const lines = renderMarkdown('> '.repeat(5000) + 'x', plain);
    expect(lines.join('')).toContain('x');
    const emphasis = renderMarkdown('*'.repeat(3000) + 'x' + '*'.repeat(3000), plain);
    expect(emphasis.join('')).toContain('x');
  });
});

describe('Markdown while it is written', () => {
  const split = (text: string, size: number): unknown[] => {
    const splitter = new BlockSplitter();
    const blocks: unknown[] = [];
    for (let at = 0; at < text.length; at += size) {
      blocks.push(...splitter.push(text.slice(at, at + size)));
    }
    return [...blocks, ...splitter.end()];
  };

  it.each([1, 3, 1000])('comes in the same blocks, %i characters at a time', (size) => {
    const text = 'One\ntwo\n\n- a\n\n  more of a\n- b\n\n```ts\nx\n\ny\n```\nEnd';
    expect(split(text, size)).toEqual([
      { kind: 'text', text: 'One\ntwo\n\n' },
      { kind: 'text', text: '- a\n\n  more of a\n- b\n\n' },
      { kind: 'code-start', language: 'ts' },
      { kind: 'code', line: 'x' },
      { kind: 'code', line: '' },
      { kind: 'code', line: 'y' },
      { kind: 'code-end' },
      { kind: 'text', text: 'End\n' },
    ]);
  });

  it('is given out in parts where a block has no end', () => {
    const blocks = split('x'.repeat(100_000), 1000) as { text: string }[];
    expect(blocks.length).toBeGreaterThan(3);
    expect(blocks.map(({ text }) => text.trim()).join('')).toHaveLength(100_000);
  });

  it('shows no control sequence, nor in the language of code', () => {
    const stdout = new PassThrough();
    const redactor = new Redactor();
    const terminal = new Terminal({ stdout, stderr: new PassThrough(), redactor, env: {} });
    const writer = new MarkdownWriter(terminal, (text) => redactor.data(sanitize(text)));
    writer.write('```\u001b]52;c;aGk=\u0007sh\u202e\nx\u001b[2J\n```\n');
    writer.end();
    expect(String(stdout.read())).toBe('  sh:\n  x\n');
  });

  it.each(['&#27;[2Ja', '&#x1b;]0;t&#7;a', '&#155;2Ja', '[a](x&#27;[2J)', '![&#27;a](b&#8238;)'])(
    'makes no control character of a reference: %s',
    (text) => {
      const all = `${text}\n\n- ${text}\n\n# ${text}\n\n> ${text}\n\n| a |\n|---|\n| ${text} |`;
      const shown = renderMarkdown(all, plain).join('\n');
      expect(shown).toContain('a');
      expect(sanitize(shown)).toBe(shown);
    },
  );

  it('keeps a cell of a table on its row', () => {
    const rows = renderMarkdown('| a |\n|---|\n| x&#10;y |', plain);
    expect(rows).toHaveLength(2);
    expect(rows[1]).toContain('x y');
  });

  it('keeps a secret from being taken apart', () => {
    const stdout = new PassThrough();
    const redactor = new Redactor();
    redactor.add('sk-*very*-secret-key');
    const terminal = new Terminal({ stdout, stderr: new PassThrough(), redactor, env: {} });
    const writer = new MarkdownWriter(terminal, (text) => redactor.data(text));
    writer.write('The key is sk-*very*-se');
    expect(stdout.read()).toBeNull();
    expect(writer.isOpen).toBe(true);
    writer.write('cret-key.\n\nNext\n\n```\n');
    writer.end();
    expect(stripVTControlCharacters(String(stdout.read()))).toBe(
      'The key is ***.\n\nNext\n\n  code:\n',
    );
  });
});
