import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { CommandTarget } from '@longwire/client';
import { usageError } from './command-error.js';
import type { CommonOptions } from './options.js';

/**
 * Splits a command line at the first `--`. Everything after it is the command that starts a server.
 */
export function splitCommand(args: readonly string[]): {
  args: readonly string[];
  command: readonly string[] | undefined;
} {
  const at = args.indexOf('--');
  return at === -1
    ? { args, command: undefined }
    : { args: args.slice(0, at), command: args.slice(at + 1) };
}

/**
 * The target for a command after `--`. It inherits what every program needs from the environment, and
 * gets the variables of `--env`.
 *
 * @throws LongwireError (usage) if there is no command, or `--cwd` is no directory.
 */
export function commandTarget(
  words: readonly string[],
  { options, cwd }: { options: CommonOptions; cwd: string },
): CommandTarget {
  const [command = '', ...args] = words;
  if (command.trim() === '') {
    throw usageError(
      'nothing after --: write the command that starts the server, as in `longwire tools -- npx -y some-server`',
    );
  }
  const { variables: env, directory = '' } = options;
  const where = resolve(cwd, directory);
  if (statSync(where, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw usageError(`--cwd "${directory}" is not a directory`);
  }
  return { command, args, env, cwd: where };
}
