import { PassThrough } from 'node:stream';
import { beforeAll, describe, expect, it } from 'vitest';
import { displayWidth, fit, wrap, loadWideText } from '../src/display-width.ts';
import { Redactor } from '../src/redact.ts';
import { renderTable } from '../src/table.ts';
import { Terminal } from '../src/terminal.ts';

beforeAll(loadWideText);

function terminalOf(columns: number | undefined): Terminal {
  const stdout = Object.assign(new PassThrough(), { isTTY: columns !== undefined, columns });
  const env = { NO_COLOR: '1' };
  return new Terminal({ stdout, stderr: new PassThrough(), redactor: new Redactor(), env });
}

function table(rows: string[][], columns: number | undefined): string[] {
  return renderTable(['resource', 'what'], rows, terminalOf(columns)).split('\n');
}

describe('a table', () => {
  it('has aligned columns', () => {
    expect(
      table(
        [
          ['a', 'one'],
          ['漢字漢字漢字', 'two'],
        ],
        80,
      ),
    ).toEqual(['resource      what', 'a             one', '漢字漢字漢字  two']);
  });

  it('wraps what is long to the width, by columns and not by characters', () => {
    const description = `${'word '.repeat(20)}${'漢'.repeat(60)}`;
    const lines = table([['name', description]], 40);
    for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(40);
    expect(lines.join('').replaceAll(/\s/g, '')).toContain('漢'.repeat(60));
  });

  it('never cuts the first column: the rest goes below, indented', () => {
    const uri = `demo://${'long/'.repeat(20)}end`;
    const lines = table(
      [
        [uri, 'what it is'],
        ['demo://b', 'other'],
      ],
      40,
    );
    const at = lines.indexOf(uri);
    expect(at).toBeGreaterThan(0);
    expect(lines[at + 1]).toMatch(/^ {2,}what it is$/);
    expect(lines).toContain('demo://b  other');
  });

  it('puts the cells below the first where the terminal is too narrow for columns', () => {
    const rows = [
      ['read_file', 'Reads a file and returns all that is in it.', 'path*: string'],
      ['echo', '', 'message*: string'],
    ];
    const text = renderTable(['tool', 'what it does', 'arguments'], rows, terminalOf(40));
    expect(text.split('\n')).toEqual([
      'read_file',
      '  Reads a file and returns all that is',
      '  in it.',
      '  path*: string',
      'echo',
      '  message*: string',
    ]);
  });

  it('has a line for each row where there is no terminal', () => {
    const rows = [['x'.repeat(100), 'y'.repeat(100)]];
    expect(table(rows, undefined)[1]).toBe(`${'x'.repeat(100)}  ${'y'.repeat(100)}`);
  });
});

describe('display width', () => {
  it.each([
    ['', 0],
    ['abc', 3],
    ['漢字', 4],
    ['한글', 4],
    ['ｆｕｌｌ', 8],
    ['🎉', 2],
    ['👩‍💻', 2],
    ['❤️', 2],
    ['e\u0301', 1],
    ['שלום', 4],
  ])('of %j is %d', (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });

  it('is what text is cut and wrapped by', () => {
    expect(fit('abc', 3)).toBe('abc');
    expect(fit('abcd', 3)).toBe('ab…');
    expect(fit('漢字漢', 4)).toBe('漢…');
    expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
    expect(wrap('abcdefgh i', 3)).toEqual(['abc', 'def', 'gh', 'i']);
    expect(wrap('', 5)).toEqual(['']);
  });
});
