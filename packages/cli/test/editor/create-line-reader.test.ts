import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../../../test/support/until.ts';
import type { Context } from '../../src/context.ts';
import { loadWideText } from '../../src/display-width.ts';
import type { Complete } from '../../src/editor/completion.ts';
import { createLineReader } from '../../src/editor/create-line-reader.ts';
import type { LineReader } from '../../src/editor/line-reader.ts';
import { Interruptions } from '../../src/interruptions.ts';
import { Redactor } from '../../src/redact.ts';
import { Terminal } from '../../src/terminal.ts';

beforeAll(loadWideText);

/** Each reader has a history of its own. */
let home: Record<string, string> = {};
beforeEach(async () => {
  home = { HOME: await mkdtemp(join(tmpdir(), 'longwire-home-')) };
});
afterEach(() => rm(home['HOME'] ?? '', { recursive: true }));

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Made {
  reader: LineReader;
  stdin: PassThrough;
  /** The modes that were set, each once. */
  raw: boolean[];
  interruptions: Interruptions;
  terminal: Terminal;
  /** What was written to the screen since this was asked last, without colours and places. */
  screen: () => string;
}

function makeReader(
  isTTY: boolean,
  { env = {}, complete = () => undefined }: { env?: object; complete?: Complete } = {},
): Made {
  const raw: boolean[] = [];
  const setRawMode = (mode: boolean): void => {
    if (raw.at(-1) !== mode) raw.push(mode);
  };
  const stdin = Object.assign(new PassThrough(), { isTTY, setRawMode });
  const stdout = Object.assign(new PassThrough(), { isTTY, columns: 80, rows: 24 });
  const stderr = isTTY ? stdout : new PassThrough();
  const redactor = new Redactor();
  const terminal = new Terminal({ stdout, stderr, redactor, env: { ...env } });
  const interruptions = new Interruptions();
  const context = { stdin, terminal, interruptions, redactor, env: home } as unknown as Context;
  const options = { prompt: '> ', complete, history: 'test', editWord: '/edit' };
  const reader = createLineReader(context, options);
  const screen = (): string => stripVTControlCharacters(String(stdout.read() ?? ''));
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

  it('that come while another is at work wait', async () => {
    const { reader, stdin } = makeReader(isTTY);
    stdin.write('one\n');
    await reader.next();
    stdin.write('ahead\n');
    expect(await reader.next()).toEqual({ kind: 'line', text: 'ahead' });
    reader.close();
  });

  it('go on after a backslash', async () => {
    const { reader, stdin } = makeReader(isTTY);
    stdin.write('one\\\ntwo \\\\\n');
    expect(await reader.next()).toEqual({ kind: 'line', text: 'one\ntwo \\\\' });
    reader.close();
  });

  it('end with the input', async () => {
    const { reader, stdin } = makeReader(isTTY);
    stdin.write('last\n');
    expect(await reader.next()).toEqual({ kind: 'line', text: 'last' });
    stdin.end();
    expect(await reader.next()).toEqual({ kind: 'end' });
    expect(await reader.next()).toEqual({ kind: 'end' });
    reader.close();
  });
});

it('a pipe may end in the middle of a line', async () => {
  const { reader, stdin } = makeReader(false);
  stdin.end('one\ntwo\\');
  for (const text of ['one', 'two']) expect(await reader.next()).toEqual({ kind: 'line', text });
  expect(await reader.next()).toEqual({ kind: 'end' });
  reader.close();
});

describe('output', () => {
  it('goes above the line that is being typed, which stays as it is', async () => {
    const { reader, stdin, terminal, screen } = makeReader(true);
    const next = reader.next();
    stdin.write('half');
    await turn();
    screen();
    for (const line of ['lost', 'ready again']) terminal.remark(line);
    await turn();
    expect(screen()).toBe('lost\nready again\n> half');
    stdin.write(' a line\n');
    expect(await next).toEqual({ kind: 'line', text: 'half a line' });
    reader.close();
  });

  it('is just written while a line is at work', async () => {
    const { reader, stdin, terminal, screen } = makeReader(true);
    stdin.write('one\n');
    await reader.next();
    stdin.write('ahead');
    await turn();
    screen();
    terminal.print('ready again');
    await turn();
    expect(screen()).toBe('ready again\n');
    void reader.next();
    expect(screen()).toBe('> ahead');
    reader.close();
  });

  it('has what is typed ahead below it where a live line is', async () => {
    const { reader, stdin, terminal, screen } = makeReader(true);
    stdin.write('one\n');
    await reader.next();
    terminal.showLive('busy');
    screen();
    stdin.write('two\nthr');
    await turn();
    expect(screen()).toMatch(/^.*busy\r\n\(waits\) two\r\n> thr$/s);
    terminal.stopLive();
    expect(screen()).toBe('');
    reader.close();
  });
});

describe('a terminal', () => {
  it('sends nothing of what is pasted, whatever it holds', async () => {
    const { reader, stdin } = makeReader(true);
    const next = reader.next();
    stdin.write('a \u001b[200~one\r\ntwo\rthree\u001b[31m\u001b]0;title\u0007\u001b[201~!');
    stdin.write('\r');
    expect(await next).toEqual({ kind: 'line', text: 'a one\ntwo\nthree!' });
    reader.close();
  });

  it('stays raw while a line is at work, and is as it was when it is closed', async () => {
    const { reader, stdin, raw } = makeReader(true);
    stdin.write('one\n');
    await reader.next();
    expect(raw.at(-1)).toBe(true);
    reader.close();
    expect(raw.at(-1)).toBe(false);
    expect(stdin.isPaused()).toBe(true);
    expect(stdin.listenerCount('keypress')).toBe(0);
  });

  it('is free for a question, which gets none of the lines that were typed before', async () => {
    const { reader, stdin, raw, terminal } = makeReader(true);
    stdin.write('one\n');
    await reader.next();
    stdin.write('y\rmo');
    await turn();
    let takeBack!: () => void;
    const occupied = terminal.occupied(() => new Promise<void>((resolve) => (takeBack = resolve)));
    await turn();
    expect(raw.at(-1)).toBe(false);
    stdin.once('data', () => undefined);
    stdin.resume();
    stdin.write('an answer');
    await turn();
    stdin.pause();
    takeBack();
    await occupied;
    expect(raw.at(-1)).toBe(true);
    const next = reader.next();
    stdin.write('re\r');
    // They are sent together, by an Enter of now.
    expect(await next).toEqual({ kind: 'line', text: 'y\nmore' });
    reader.close();
  });

  it('reads Ctrl-C as an interruption, which clears the line', async () => {
    const { reader, stdin } = makeReader(true);
    const first = reader.next();
    stdin.write('half\u0003');
    expect(await first).toEqual({ kind: 'interrupted', cleared: true });
    const second = reader.next();
    stdin.write('\u0003');
    expect(await second).toEqual({ kind: 'interrupted', cleared: false });
    const third = reader.next();
    stdin.write('whole\n');
    expect(await third).toEqual({ kind: 'line', text: 'whole' });
    reader.close();
  });

  it('interrupts what is at work with Ctrl-C, and runs nothing that waits for it', async () => {
    const { reader, stdin, interruptions, screen } = makeReader(true);
    stdin.write('one\n');
    await reader.next();
    let count = 0;
    const release = interruptions.take(() => count++);
    stdin.write('two\nthree\nfou\u0003');
    await turn();
    release();
    expect(count).toBe(1);
    expect(screen()).toContain('The 2 lines that waited are not run');
    const next = reader.next();
    stdin.write('r\n');
    expect(await next).toEqual({ kind: 'line', text: 'four' });
    // ↑
    const again = reader.next();
    stdin.write('\u001b[A\u001b[A\n');
    expect(await again).toEqual({ kind: 'line', text: 'three' });
    reader.close();
  });

  it('reads Ctrl-D as the end of an empty line', async () => {
    const { reader, stdin } = makeReader(true);
    const next = reader.next();
    stdin.write('a\u0001\u0004\u0004');
    expect(await next).toEqual({ kind: 'end' });
    reader.close();
  });

  it('that cannot move its cursor edits lines itself', async () => {
    const { reader, stdin, raw, screen } = makeReader(true, { env: { TERM: 'dumb' } });
    const next = reader.next();
    stdin.write('one\n');
    expect(await next).toEqual({ kind: 'line', text: 'one' });
    expect(raw).toEqual([]);
    expect(screen()).toBe('> ');
    reader.close();
  });
});

describe('completion', () => {
  it('comes from a promise, and a key ends the waiting', async () => {
    let signal: AbortSignal | undefined;
    const complete: Complete = (text, given) => {
      if (text === 'e') return Promise.resolve({ from: 0, candidates: [{ text: 'echo ' }] });
      signal = given;
      return new Promise(() => undefined);
    };
    const { reader, stdin } = makeReader(true, { complete });
    const next = reader.next();
    stdin.write('e\t');
    await turn();
    stdin.write('\t');
    await until(() => expect(signal).toBeDefined());
    // Ctrl-C stops the search only.
    stdin.write('\u0003');
    expect(signal?.aborted).toBe(true);
    stdin.write('hi\r');
    expect(await next).toEqual({ kind: 'line', text: 'echo hi' });
    reader.close();
  });

  it('that fails leaves the line as it is', async () => {
    const { reader, stdin } = makeReader(true, { complete: () => Promise.reject(new Error('no')) });
    const next = reader.next();
    stdin.write('e\t');
    await turn();
    stdin.write('!\r');
    expect(await next).toEqual({ kind: 'line', text: 'e!' });
    reader.close();
  });
});
