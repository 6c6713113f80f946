import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { expect } from 'vitest';
import { removeFolder } from '../../support/remove-folder.ts';
import { until } from '../../support/until.ts';

const python = spawnSync('python3', ['-c', 'import pty, os; os.waitstatus_to_exitcode']);

/** Whether this machine can make a terminal. In CI it has to. */
export const hasTerminal: boolean = python.status === 0 && process.platform !== 'win32';
if (!hasTerminal) {
  const lack = 'no pseudo-terminal here: python3 with its module pty is needed';
  if (process.env['CI'] !== undefined) throw new Error(lack);
  process.stderr.write(`${lack}\n`);
}

const pty = fileURLToPath(new URL('pseudo-terminal.py', import.meta.url));
const bin = fileURLToPath(new URL('../../../packages/cli/dist/bin.js', import.meta.url));

/** The command at a terminal of its own. */
export interface AtTerminal extends AsyncDisposable {
  type(text: string): void;
  /** All that it has shown since it was asked last. */
  shows(pattern: RegExp): Promise<string>;
  /** The exit code, once it has ended. */
  readonly ended: Promise<number | null>;
}

/** Starts the command at a terminal. `leave` is what is typed at last, to end it. */
export async function startAtTerminal(
  words: readonly string[],
  { env = {}, cwd, leave = '\u0003' }: { env?: object; cwd?: string; leave?: string } = {},
): Promise<AtTerminal> {
  const home = await mkdtemp(join(tmpdir(), 'longwire-pty-'));
  const child = spawn('python3', [pty, process.execPath, bin, ...words], {
    env: { PATH: process.env['PATH'] ?? '', HOME: home, TERM: 'xterm', NO_COLOR: '1', ...env },
    cwd: cwd ?? home,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let shown = '';
  let from = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => (shown += text));
  // Typed after it has ended.
  child.stdin.on('error', () => undefined);
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return {
    type: (text) => void child.stdin.write(text),
    shows: async (pattern) => {
      const rest = (): string => stripVTControlCharacters(shown.slice(from));
      await until(() => expect(rest()).toMatch(pattern));
      const text = rest();
      from = shown.length;
      return text;
    },
    ended,
    [Symbol.asyncDispose]: async () => {
      child.stdin.write(leave);
      const timer = setTimeout(() => child.kill(), 60_000);
      await ended;
      clearTimeout(timer);
      await removeFolder(home);
    },
  };
}
