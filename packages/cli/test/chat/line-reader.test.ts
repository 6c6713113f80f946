import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createLineReader, type LineReader } from '../../src/chat/line-reader.ts';
import type { Context } from '../../src/context.ts';
import { Interruptions } from '../../src/interruptions.ts';
import { Redactor } from '../../src/redact.ts';
import { Terminal } from '../../src/terminal.ts';

function makeReader(isTTY: boolean): {
  reader: LineReader;
  stdin: PassThrough;
  raw: boolean[];
  interruptions: Interruptions;
  terminal: Terminal;
  /** What was written to the screen since this was asked last. */
  screen: () => string;
} {
  const raw: boolean[] = [];
  const setRawMode = (mode: boolean): void => void raw.push(mode);
  const stdin = Object.assign(new PassThrough(), { isTTY, setRawMode });
  const stdout = Object.assign(new PassThrough(), { isTTY, columns: 80 });
  const redactor = new Redactor();
  const terminal = new Terminal({ stdout, stderr: new PassThrough(), redactor, env: {} });
  const interruptions = new Interruptions();
  const context = { stdin, terminal, interruptions } as unknown as Context;
  const reader = createLineReader(context, { prompt: '> ', complete: () => [] });
  const screen = (): string => String(stdout.read() ?? '');
  return { reader, stdin, raw, interruptions, terminal, screen };
}

describe.each([true, false])('lines, from a terminal: %s', (isTTY) => {
  it('that come at once are all read, in order', async () => {
    const { reader, stdin } = makeReader(isTTY);
    stdin.write('one\ntwo\nthree\n');
    for (const text of ['one', 'two', 'three']) {
      expect(await reader.next()).toEqual({ kind: 'line', text });
    }
    reader.close();
  });

  it('that come between two questions wait', async () => {
    const { reader, stdin } = makeReader(isTTY);
    stdin.write('one\n');
    await reader.next();
    stdin.write('ahead\n');
    expect(await reader.next()).toEqual({ kind: 'line', text: 'ahead' });
    reader.close();
  });

  it('end with the input', async () => {
    const { reader, stdin } = makeReader(isTTY);
    stdin.end('last\n');
    expect(await reader.next()).toEqual({ kind: 'line', text: 'last' });
    expect(await reader.next()).toEqual({ kind: 'end' });
    reader.close();
  });
});

describe('a line aside', () => {
  it('comes above the line that is being written, which stays as it is', async () => {
    const { reader, stdin, terminal, screen } = makeReader(true);
    const next = reader.next();
    stdin.write('half');
    await new Promise((resolve) => setImmediate(resolve));
    screen();
    reader.aside(() => terminal.print('ready again'));
    const [before, after] = stripVTControlCharacters(screen()).split('ready again\n');
    expect([before, after]).toEqual(['', '> half']);
    stdin.write(' a line\n');
    expect(await next).toEqual({ kind: 'line', text: 'half a line' });
    reader.close();
  });

  it('is just written where no line is waited for', () => {
    const { reader, terminal, screen } = makeReader(true);
    reader.aside(() => terminal.print('ready again'));
    expect(screen()).toBe('ready again\n');
    reader.close();
  });
});

describe('a terminal', () => {
  it('keeps what is left of a paste on the line', async () => {
    const { reader, stdin } = makeReader(true);
    stdin.write('one\ntw');
    await reader.next();
    const next = reader.next();
    stdin.write('o\n');
    expect(await next).toEqual({ kind: 'line', text: 'two' });
    reader.close();
  });

  it('is free between lines, for signals and questions', async () => {
    const { reader, stdin, raw } = makeReader(true);
    stdin.write('one\n');
    await reader.next();
    expect(raw).toEqual([true, false]);
    expect(stdin.isPaused()).toBe(true);
    // What another reader takes meanwhile is not also a line here.
    stdin.once('data', () => undefined);
    stdin.resume();
    stdin.write('y');
    await new Promise((resolve) => setTimeout(resolve, 20));
    stdin.pause();
    const next = reader.next();
    stdin.write('two\n');
    expect(await next).toEqual({ kind: 'line', text: 'two' });
    reader.close();
  });

  it('reads Ctrl-C as an interruption, which clears the line', async () => {
    const { reader, stdin } = makeReader(true);
    const first = reader.next();
    stdin.write('half\u0003');
    expect(await first).toEqual({ kind: 'interrupted' });
    const second = reader.next();
    stdin.write('whole\n');
    expect(await second).toEqual({ kind: 'line', text: 'whole' });
    reader.close();
  });

  it('reads Ctrl-D as the end', async () => {
    const { reader, stdin } = makeReader(true);
    const next = reader.next();
    stdin.write('\u0004');
    expect(await next).toEqual({ kind: 'end' });
    reader.close();
  });
});
