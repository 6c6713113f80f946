import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import type { Context } from '../context.js';
import type { Line, LineReader } from './line-reader.js';
import { isContinued } from './text.js';

/**
 * Lines as they come, from a pipe, or from a terminal that edits them itself. The input is read only while
 * a line is expected, so that a question can read it between lines.
 */
export function readPlainLines(context: Context, { prompt }: { prompt: string }): LineReader {
  const { stdin, terminal, interruptions } = context;
  const isTerminal = stdin.isTTY === true && terminal.interactive;
  const waiting: Line[] = [];
  let resolve: ((line: Line) => void) | undefined;
  let begun = '';

  const input = new PassThrough();
  const lines = createInterface({ input, terminal: false });
  const forward = (chunk: string | Buffer): void => void input.write(chunk);
  const onEnd = (): void => void input.end();
  if (stdin.readable) stdin.once('end', onEnd);
  else onEnd();
  const rest = (): void => {
    stdin.off('data', forward);
    stdin.pause();
  };
  const arrived = (line: Line): void => {
    if (resolve === undefined) return void waiting.push(line);
    rest();
    resolve(line);
    resolve = undefined;
  };
  lines.on('line', (text) => {
    if (isContinued(text)) return void (begun += `${text.slice(0, -1)}\n`);
    arrived({ kind: 'line', text: begun + text });
    begun = '';
  });
  lines.on('close', () => {
    if (begun !== '') arrived({ kind: 'line', text: begun.trimEnd() });
    if (isTerminal && resolve !== undefined) terminal.print();
    arrived({ kind: 'end' });
    waiting.push({ kind: 'end' });
  });
  const onInterrupt = (): void => {
    if (isTerminal) terminal.print();
    arrived({ kind: 'interrupted', cleared: false });
  };
  interruptions.signal.addEventListener('abort', onInterrupt, { once: true });

  return {
    async next() {
      const early = waiting.shift();
      if (early?.kind === 'end') waiting.push(early);
      if (early !== undefined) return early;
      const release = isTerminal ? interruptions.take(onInterrupt) : undefined;
      if (isTerminal) terminal.write(prompt);
      const line = new Promise<Line>((fulfil) => (resolve = fulfil));
      stdin.on('data', forward);
      stdin.resume();
      return line.finally(release);
    },
    close() {
      rest();
      stdin.off('end', onEnd);
      interruptions.signal.removeEventListener('abort', onInterrupt);
      lines.close();
    },
  };
}
