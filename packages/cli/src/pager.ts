import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { displayWidth } from './display-width.js';
import type { Context } from './context.js';

/** As git has it: leaves at once what fits on the screen, keeps colours, leaves the text behind. */
const LESS = 'FRX';

/**
 * Prints what is printed by `print`: on a terminal whose screen it does not fit, through the user's
 * pager (`PAGER`, else `less`; `cat` or nothing for none). Ctrl-C is the pager's meanwhile.
 */
export async function printLong(
  { terminal, env, interruptions, stdin }: Context,
  print: () => void,
): Promise<void> {
  const text = terminal.captured(print);
  const { columns = 80, rows } = terminal.stdout;
  const command = env['PAGER'] ?? 'less';
  const isLong = rows !== undefined && linesOf(text, columns) >= rows;
  const isShown =
    terminal.interactive && stdin.isTTY === true && isLong && !/^\s*(?:cat\s*)?$/.test(command);
  const page = (): Promise<boolean> => throughPager(text, { command, env, interruptions });
  if (!isShown || !(await terminal.occupied(page))) terminal.passOn(text);
}

/** Whether the pager could be started. */
async function throughPager(
  text: string,
  { command, env, interruptions }: { command: string } & Pick<Context, 'env' | 'interruptions'>,
): Promise<boolean> {
  // A shell between would die of Ctrl-C, which the pager survives.
  const isPlain = /^[\w ./=-]+$/.test(command);
  const [program = '', ...words] = isPlain ? command.trim().split(/ +/) : [command];
  const pager = spawn(program, words, {
    shell: !isPlain,
    signal: interruptions.signal,
    stdio: ['pipe', 'inherit', 'inherit'],
    env: { LESS, LV: '-c', ...env },
  });
  const release = interruptions.take(() => undefined);
  // The reader may leave before the end.
  pager.stdin.on('error', () => undefined).end(text);
  try {
    const [code] = (await once(pager, 'close')) as [number | null];
    // What the shell says of a command that is not there.
    return code !== 127 && code !== 126;
  } catch {
    return interruptions.signal.aborted;
  } finally {
    release();
  }
}

/** How many lines of the screen a text takes. Colours count as text, which is little. */
function linesOf(text: string, columns: number): number {
  return text
    .split('\n')
    .reduce((lines, line) => lines + Math.max(1, Math.ceil(displayWidth(line) / columns)), -1);
}
