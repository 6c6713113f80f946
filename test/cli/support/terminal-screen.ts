import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import xterm from '@xterm/headless';
import { expect } from 'vitest';
import { descendantsOf, killAtOnce } from '../../support/process-tree.ts';
import { removeFolder } from '../../support/remove-folder.ts';
import { until } from '../../support/until.ts';

const pty = fileURLToPath(new URL('pseudo-terminal.py', import.meta.url));

/** A terminal in which a shell runs, as a person sees it. */
export interface TerminalScreen extends AsyncDisposable {
  type(text: string): void;
  resize(columns: number, rows: number): void;
  /** The rows that are shown, without blanks at their ends. */
  rows(): string[];
  /** Resolves with what is shown as soon as it matches. */
  shows(pattern: RegExp): Promise<string>;
  /** Whether a program has the screen for itself. */
  isAlternate(): boolean;
  /** The process that the shell waits for. */
  foreground(): number;
  /** All bytes that came. */
  bytes(): string;
}

/** Opens a terminal of this size with a shell that has job control. `home` is where it is. */
export async function openTerminal(
  columns: number,
  rows: number,
  env: Readonly<Record<string, string>> = {},
): Promise<TerminalScreen> {
  const home = await mkdtemp(join(tmpdir(), 'longwire-terminal-'));
  const shell = ['bash', '--noprofile', '--norc', '-i'];
  const child = spawn('python3', [pty, '--sized', ...shell], {
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: home,
      TERM: 'xterm-256color',
      LANG: 'C.UTF-8',
      ...env,
    },
    cwd: home,
    stdio: ['pipe', 'pipe', 'inherit', 'pipe'],
  });
  const sizes = child.stdio[3] as Writable;
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error('the terminal has no pipes');
  const resize = (width: number, height: number): void => void sizes.write(`${height} ${width}\n`);
  resize(columns, rows);
  const screen = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true });
  let bytes = '';
  stdout.on('data', (data: Buffer) => {
    bytes += data.toString('latin1');
    screen.write(data);
  });
  const ended = once(child, 'close');
  const shown = (): string[] => {
    const { active } = screen.buffer;
    return Array.from(
      { length: screen.rows },
      (_, row) => active.getLine(active.baseY + row)?.translateToString(true) ?? '',
    );
  };
  return {
    type: (text) => void stdin.write(text),
    resize: (width, height) => {
      screen.resize(width, height);
      resize(width, height);
    },
    rows: shown,
    shows: async (pattern) => {
      await until(() => expect(shown().join('\n')).toMatch(pattern));
      return shown().join('\n');
    },
    isAlternate: () => screen.buffer.active.type === 'alternate',
    foreground: () => {
      const [, running] = descendantsOf(child.pid ?? 0);
      if (running === undefined) throw new Error('the shell waits for nothing');
      return running;
    },
    bytes: () => bytes,
    [Symbol.asyncDispose]: async () => {
      for (const pid of descendantsOf(child.pid ?? 0)) killAtOnce(pid);
      killAtOnce(child.pid ?? 0);
      sizes.destroy();
      await ended;
      screen.dispose();
      await removeFolder(home);
    },
  };
}
