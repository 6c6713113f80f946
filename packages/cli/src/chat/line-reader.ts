import { clearScreenDown, createInterface, cursorTo, moveCursor } from 'node:readline';
import { PassThrough } from 'node:stream';
import type { Context } from '../context.js';

/** The result of asking for a line. */
export type Line =
  | { kind: 'line'; text: string }
  /** No more input: Ctrl-D, or a pipe that ended. */
  | { kind: 'end' }
  /** Ctrl-C at the prompt. */
  | { kind: 'interrupted' };

/** Where the lines of a conversation come from. */
export interface LineReader {
  next(): Promise<Line>;
  /** Writes lines above the one that is being edited, if any. */
  aside(write: () => void): void;
  close(): void;
}

/** How a prompt looks and completes. */
export interface PromptOptions {
  prompt: string;
  /** What Tab offers for a line so far. */
  complete: (line: string) => string[];
}

/** How many lines the arrow keys go back. */
const historySize = 200;

/**
 * Lines from a user with editing and history, or from a pipe. Lines that arrive early wait, for example
 * those of a paste.
 *
 * The line editor reads a stream to which the input is forwarded only while a line is expected. Between
 * lines the terminal is in its normal mode: Ctrl-C is a signal during a turn, and a question can read
 * the input.
 */
export function createLineReader(context: Context, options: PromptOptions): LineReader {
  const { stdin, terminal, interruptions } = context;
  const isTerminal = stdin.isTTY === true && terminal.interactive;
  const { prompt, complete } = options;
  const waiting: Line[] = [];
  let resolve: ((line: Line) => void) | undefined;

  const input = new PassThrough();
  const editor = createInterface({
    input,
    ...(isTerminal && { output: terminal.stdout, historySize, removeHistoryDuplicates: true }),
    terminal: isTerminal,
    prompt,
    completer: (line: string): [string[], string] => [complete(line), line],
  });

  const forward = (chunk: string | Buffer): void => void input.write(chunk);
  const onEnd = (): void => void input.end();
  if (stdin.readable) stdin.once('end', onEnd);
  else onEnd();
  const listen = (): void => {
    if (isTerminal) stdin.setRawMode?.(true);
    stdin.on('data', forward);
    stdin.resume();
  };
  const rest = (): void => {
    stdin.off('data', forward);
    stdin.pause();
    if (isTerminal) stdin.setRawMode?.(false);
  };

  const arrived = (line: Line): void => {
    if (resolve === undefined) return void waiting.push(line);
    rest();
    resolve(line);
    resolve = undefined;
  };
  editor.on('line', (text) => arrived({ kind: 'line', text }));
  editor.on('close', () => arrived({ kind: 'end' }));
  editor.on('SIGINT', () => interruptions.interrupt());
  const onAbort = (): void => arrived({ kind: 'interrupted' });
  interruptions.signal.addEventListener('abort', onAbort, { once: true });

  const ask = (): Promise<Line> =>
    new Promise((fulfil) => {
      resolve = fulfil;
      // Keeps the cursor at the end of the rest of a paste.
      if (isTerminal) editor.prompt(true);
      listen();
    });

  return {
    async next() {
      const early = waiting.shift();
      if (early !== undefined) {
        if (isTerminal && early.kind === 'line') terminal.print(`${prompt}${early.text}`);
        return early;
      }
      if (!isTerminal) return ask();
      const release = interruptions.take(() => {
        // Clears the line.
        editor.write(null, { ctrl: true, name: 'e' });
        editor.write(null, { ctrl: true, name: 'u' });
        terminal.print('^C');
        arrived({ kind: 'interrupted' });
      });
      return ask().finally(release);
    },
    aside(write) {
      if (!isTerminal || resolve === undefined) return write();
      const { stdout } = terminal;
      const { rows } = editor.getCursorPos();
      moveCursor(stdout, 0, -rows);
      cursorTo(stdout, 0);
      clearScreenDown(stdout);
      write();
      // The editor moves up by as many rows as it had moved down.
      stdout.write('\n'.repeat(rows));
      editor.prompt(true);
    },
    close() {
      rest();
      stdin.off('end', onEnd);
      interruptions.signal.removeEventListener('abort', onAbort);
      editor.close();
    },
  };
}
