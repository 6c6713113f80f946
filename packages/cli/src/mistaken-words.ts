import type { CommanderError } from 'commander';
import { usageError, type CommandError } from './command-error.js';
import { commandBelongsAfter, isLauncher } from './launchers.js';
import { isTarget, looksLikeAddress } from './target.js';

/** What other commands of this field call it, and how it is written here. */
const foreignOptions: Readonly<Record<string, string>> = {
  '--method': 'the first word says what to do: longwire tools, longwire call, longwire read',
  '--tool-name': 'write the tool after the server: longwire call SERVER TOOL name=value',
  '--tool-arg': 'write arguments as name=value, after the tool',
  '--tool-args-json': "write --args '{…}'",
  '--prompt-name': 'write longwire prompt SERVER NAME name=value',
  '--uri': 'write longwire read SERVER URI',
  '--server': 'write the name of the server after the command',
  '--http-url': 'write the URL after the command',
  '--server-url': 'write the URL after the command',
  '--url': 'write the URL after the command',
  '--stdio': 'write the command that starts the server after --',
  '--command': 'write the command that starts the server after --',
  '--cli': 'leave it out',
  '--output': 'write --json for JSON, --out FILE for a file',
  '--input-json': "write --args '{…}'",
  '--token': "write --header 'Authorization: Bearer …', or run longwire login",
  '--auth': "write --header 'Authorization: Bearer …', or run longwire login",
  '--bearer-token': "write --header 'Authorization: Bearer …', or run longwire login",
};

/**
 * What is wrong with the words of the command line, and what to write instead. `names` are the commands.
 */
export function mistakenWords(
  { code, message }: CommanderError,
  { args, names }: { args: readonly string[]; names: readonly string[] },
): CommandError {
  const said = message
    .replace(/^error: /, '')
    .replaceAll(/\s+/g, ' ')
    .replace(/ \((Did you mean .*)\)$/, '. $1')
    .replace(/[.\s]+$/, '');
  const hint =
    meant(code, { args, names }) ?? (said.endsWith('?') ? '' : 'longwire --help says more');
  return usageError(hint === '' ? said : `${said}; ${hint}`);
}

function meant(
  code: string,
  { args, names }: { args: readonly string[]; names: readonly string[] },
): string | undefined {
  const words = args.filter((arg) => !arg.startsWith('-'));
  const option = args.find((arg) => Object.hasOwn(foreignOptions, arg.split('=', 1)[0] ?? ''));
  if (code === 'commander.unknownOption' && option !== undefined) {
    return foreignOptions[option.split('=', 1)[0] ?? ''];
  }
  const [first = ''] = words;
  const command = names.find((name) => words.includes(name));
  if (code === 'commander.unknownCommand') {
    if (isLauncher(first)) return commandBelongsAfter(first, command);
    if (!isTarget(first) && !looksLikeAddress(first)) return undefined;
    const what = command === undefined ? 'longwire inspect' : `longwire ${command}`;
    return `the command comes first: ${what} ${first}`;
  }
  const launcher = words.slice(1).find((word) => isLauncher(word));
  if (launcher !== undefined && first === command) return commandBelongsAfter(launcher, command);
  return undefined;
}
