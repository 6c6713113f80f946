import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../../test/support/until.ts';
import { displayWidth, loadWideText } from '../src/display-width.ts';
import { showProgress } from '../src/progress.ts';
import { Redactor } from '../src/redact.ts';
import { Terminal, type TerminalOptions } from '../src/terminal.ts';

beforeAll(loadWideText);

const esc = '\u001b';
const key = 'key-of-this-test';

/** A terminal of 60 columns, and what was written to it. */
function makeTerminal(options: Partial<TerminalOptions> = {}): {
  terminal: Terminal;
  stdout: () => string;
  stderr: () => string;
} {
  const redactor = new Redactor();
  redactor.add(key);
  const out = Object.assign(new PassThrough(), { isTTY: true, columns: 60 });
  const err = Object.assign(new PassThrough(), { isTTY: true, columns: 60 });
  const terminal = new Terminal({ stdout: out, stderr: err, redactor, env: {}, ...options });
  const written = (stream: PassThrough) => (): string => String(stream.read() ?? '');
  return { terminal, stdout: written(out), stderr: written(err) };
}

/** What a live line shows. */
function live(draw: (terminal: Terminal) => void, options: Partial<TerminalOptions> = {}): string {
  const { terminal, stderr } = makeTerminal(options);
  draw(terminal);
  const shown = stderr();
  terminal.stopLive();
  return shown;
}

describe('live text', () => {
  it('is redacted and sanitized', () => {
    const message = `${key} ${esc}[2J session_id=abc`;
    const shown = live((terminal) => terminal.showLive(message));
    expect(shown).toContain('*** session_id=***');
    expect(shown).not.toContain(key);
    expect(shown).not.toContain(`${esc}[2J`);
  });

  it('is redacted in a bar, too', () => {
    const report = { progress: 1, total: 2, message: `with ${key}` };
    const shown = live((terminal) => showProgress(terminal, 'task', report));
    expect(shown).toContain('task ████████████░░░░░░░░░░░░ 50%');
    expect(shown).not.toContain('key-of');
  });

  it('takes one line, also of wide characters', () => {
    for (const text of ['x'.repeat(200), '漢'.repeat(200), 'e\u0301🎉'.repeat(100)]) {
      const shown = live((terminal) => terminal.showLive(text));
      const line = shown.slice(shown.lastIndexOf(' ') + 1);
      expect(line).toContain('…');
      expect(displayWidth(line)).toBeLessThanOrEqual(57);
      expect(displayWidth(line)).toBeGreaterThan(50);
    }
  });

  it.each([
    [{ FORCE_COLOR: '1', NO_COLOR: '1' }, true],
    [{ FORCE_COLOR: '1', TERM: 'dumb' }, true],
    [{ FORCE_COLOR: '0' }, false],
    [{}, false],
  ])('with %j has colours on a pipe: %s', (env, isColored) => {
    const stdout = new PassThrough();
    const { terminal } = makeTerminal({ stdout, env });
    expect(terminal.colors.bold('x') !== 'x').toBe(isColored);
    expect(makeTerminal({ stdout, env, color: false }).terminal.colors.bold('x')).toBe('x');
  });

  it.each([{ color: false }, { env: { NO_COLOR: '1' } }])('has no colour with %j', (options) => {
    const shown = live((terminal) => terminal.showLive('text'), options);
    expect(shown).toContain('text');
    expect(shown).not.toMatch(/\[\d+m/);
  });

  it.each([{ quiet: true }, { env: { CI: '1' } }, { env: { TERM: 'dumb' } }])(
    'is not drawn with %j',
    (options) => {
      expect(live((terminal) => terminal.showLive('text'), options)).toBe('');
    },
  );

  it('is cleared for what is written, and comes back below a remark', () => {
    const { terminal, stderr } = makeTerminal({ color: false });
    terminal.showLive('busy');
    terminal.remark('note');
    expect(stderr().replaceAll(esc, '')).toMatch(/busy\r\[K\[\?25hnote\n\[\?25l.*busy$/s);
    terminal.stopLive();
    expect(stderr()).toBe(`\r${esc}[K${esc}[?25h`);
  });
});

describe('a question', () => {
  const answers = { once: ['y', 'yes'], always: ['a'], no: ['n', 'no'] };

  function ask(options: Partial<TerminalOptions> = {}): {
    terminal: Terminal;
    answer: Promise<string>;
    stdin: PassThrough;
    abort: AbortController;
    /** All that was shown, once the pattern is there. */
    shown: (pattern: RegExp) => Promise<string>;
  } {
    const { terminal, stderr } = makeTerminal(options);
    const stdin = Object.assign(new PassThrough(), { isTTY: true });
    stdin.write('y\r');
    const abort = new AbortController();
    const answer = terminal.ask(`May ${key} go?`, {
      lines: [`a line with ${key}`],
      answers,
      stdin,
      signal: abort.signal,
    });
    let text = '';
    const shown = async (pattern: RegExp): Promise<string> => {
      await until(() => expect((text += stderr())).toMatch(pattern));
      // The library listens once it has drawn.
      await new Promise((resolve) => setTimeout(resolve, 50));
      return text;
    };
    return { terminal, answer, stdin, abort, shown };
  }

  it.each([
    [true, 'may have colours'],
    [false, 'has none with --no-color'],
  ])('%s: %s', async (color) => {
    const { terminal, answer, stdin, shown } = ask({ color });
    await shown(/go\?/);
    terminal.remark('meanwhile');
    stdin.write('y\r');
    expect(await answer).toBe('once');
    const text = await shown(/meanwhile\n$/);
    expect(/\[3\dm/.test(text)).toBe(color);
    expect(text).toContain('May *** go?');
    expect(text).toMatch(/^a line with \*\*\*\n/m);
  });

  it.each([
    ['y', 'once'],
    ['YES', 'once'],
    ['a', 'always'],
    ['n', 'no'],
    ['', 'no'],
  ])('%j is %s, whatever was typed before', async (typed, expected) => {
    const { answer, stdin, shown } = ask();
    stdin.write('y\r');
    await shown(/go\?/);
    stdin.write(`${typed}\r`);
    expect(await answer).toBe(expected);
  });

  it('is asked again after what is no answer', async () => {
    const { answer, stdin, shown } = ask();
    await shown(/go\?/);
    stdin.write('yes please\r');
    await shown(/write one of y, a, n/);
    stdin.write('\u0015n\r');
    expect(await answer).toBe('no');
  });

  it('ends with Ctrl-C, also among what was typed before', async () => {
    const { answer, stdin } = ask();
    stdin.write('abc\u0003');
    await expect(answer).rejects.toMatchObject({ name: 'ExitPromptError' });
  });

  it('is taken back', async () => {
    const { answer, abort } = ask();
    setImmediate(() => abort.abort());
    await expect(answer).rejects.toMatchObject({ name: 'AbortPromptError' });
  });
});

describe('text in pieces', () => {
  it.each([
    [['is key-of-', 'this-test, yes\n'], 'is ***, yes\n'],
    [`x${key}${key}y\n`.split(''), 'x******y\n'],
    [['key-of-', 'that\n'], 'key-of-that\n'],
    [['no key here', '\n'], 'no key here\n'],
  ])('hides a secret that is split: %j', (pieces, expected) => {
    const { terminal, stdout } = makeTerminal();
    for (const piece of pieces) terminal.write(piece);
    expect(stdout()).toBe(expected);
  });

  it('is shown as it comes', () => {
    const { terminal, stdout } = makeTerminal();
    terminal.write('one two ke');
    expect(stdout()).toBe('one two ');
  });
});

describe('a terminal that is lent', () => {
  it('gets nothing written, and what went wrong afterwards', () => {
    const { terminal, stdout, stderr } = makeTerminal({ verbose: true });
    const told: string[] = [];
    const takeBack = terminal.lend((line) => told.push(line));
    terminal.showLive('at work');
    terminal.remark('connected again');
    terminal.detail('by the second dial');
    terminal.error(`error: the disk is full for ${key}`);
    expect([stdout(), stderr(), told]).toEqual(['', '', ['error: the disk is full for ***']]);
    takeBack();
    terminal.remark('done');
    expect(stderr()).toBe('error: the disk is full for ***\ndone\n');
  });

  it('keeps no flood: of what is said beside results, the beginning and how much came', async () => {
    const [out, err] = [new PassThrough(), new PassThrough()];
    const { terminal } = makeTerminal({ stdout: out, stderr: err });
    const line = 'x'.repeat(1000);
    await terminal.occupied(async () => {
      for (let count = 0; count < 20_000; count++) terminal.remark(line);
      for (let count = 0; count < 3000; count++) terminal.print(line);
    });
    out.end();
    err.end();
    const [printed, said] = await Promise.all([text(out), text(err)]);
    expect(said.length).toBeLessThan(1_100_000);
    const [, leftOut] = /\((\d+) lines left out, which came meanwhile\)\n$/.exec(said) ?? [];
    expect(said.split(line).length - 1 + Number(leftOut)).toBe(20_000);
    expect(printed).toHaveLength(3000 * 1001);
  });
});
