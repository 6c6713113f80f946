import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, extname, join, resolve } from 'node:path';
import type { CommandTarget } from '@longwire/client';
import { shellWord } from '../shell-word.js';
import type { Finding } from './examination.js';

/** Where the program of a command is. */
export function findProgram(
  { command, cwd = '.', env: own = {} }: CommandTarget,
  env: Readonly<Record<string, string | undefined>>,
): Finding {
  const path = own['PATH'] ?? env['PATH'] ?? '';
  const isPath = /[\\/]/.test(command);
  const folders = isPath ? [''] : path.split(delimiter);
  const candidates = folders.flatMap((folder) =>
    extensions(command, env).map((extension) =>
      isPath ? resolve(cwd, command + extension) : join(folder || '.', command + extension),
    ),
  );
  const files = candidates.filter(
    (file) => statSync(file, { throwIfNoEntry: false })?.isFile() === true,
  );
  const found = files.find(isExecutable);
  if (found !== undefined) return { detail: `${command} is ${found}`, facts: { path: found } };
  const [unusable] = files;
  if (unusable !== undefined) {
    return {
      status: 'failed',
      detail: `${unusable} may not be executed`,
      hint: `chmod +x ${shellWord(unusable)}, or name the program that runs it, such as node or python3`,
    };
  }
  return {
    status: 'failed',
    detail: isPath
      ? `there is no ${resolve(cwd, command)}`
      : `${command} is in none of the ${folders.length} folders of PATH`,
    hint: 'install the program, or write its whole path',
  };
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Windows finds `npx` as `npx.cmd`. */
function extensions(
  command: string,
  env: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  if (process.platform !== 'win32') return [''];
  const all = (env['PATHEXT'] ?? '.COM;.EXE;.BAT;.CMD').split(';');
  return extname(command) === '' ? all : ['', ...all];
}
