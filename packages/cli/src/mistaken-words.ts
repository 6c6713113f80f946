import type { CommanderError } from 'commander';
import { usageError, type CommandError } from './command-error.js';
import { commandBelongsAfter, isLauncher } from './launchers.js';
import { shellWord } from './shell-word.js';
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

/** What people write first, and how it is written here. */
const otherWords: Readonly<Record<string, string>> = {
  version: 'write longwire --version',
  'servers list': 'longwire servers lists them',
  'servers ls': 'longwire servers lists them',
  'servers rm': 'write longwire servers remove NAME',
  'servers delete': 'write longwire servers remove NAME',
  'prompts NAME': 'to get one: longwire prompt SERVER NAME',
  'resources NAME': 'to read one: longwire read SERVER URI',
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
  const words = args.filter((arg) => !arg.startsWith('-'));
  const known = names.find((name) => name === words[0]);
  const more =
    known === undefined ? 'longwire --help says more' : `longwire help ${known} says more`;
  const hint = meant(code, { args, names }) ?? (said.endsWith('?') ? '' : more);
  const what = plainly(code, said, args);
  return usageError(hint === '' ? what : `${what}; ${hint}`);
}

/** What is wrong, in words of ours where those of the library count arguments. */
function plainly(code: string, said: string, args: readonly string[]): string {
  if (code === 'commander.excessArguments') {
    // A word after an option may be its value.
    const hasOptions = args.some((arg) => arg.startsWith('-'));
    return hasOptions ? 'there are too many words' : `"${args.at(-1)}" is one word too many`;
  }
  if (code !== 'commander.missingArgument') return said;
  return `${/'(.*)'/.exec(said)?.[1]?.toUpperCase() ?? 'a word'} is missing`;
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
    if (isTarget(first) || looksLikeAddress(first)) {
      // The value of an option may be a secret, and is not told from a word here.
      const hasOptions = words.length < args.length;
      const rest = hasOptions ? ['…'] : words.slice(1).filter((word) => word !== command);
      return `the command comes first: ${line(command ?? 'inspect', first, ...rest)}`;
    }
    const [, second = ''] = words;
    if (isTarget(second)) return `to call a tool: ${line('call', second, first, '…')}`;
    return Object.hasOwn(otherWords, first) ? otherWords[first] : undefined;
  }
  if (code === 'commander.excessArguments') {
    const found = otherWords[`${first} ${words[1] ?? ''}`] ?? otherWords[`${first} NAME`];
    if (found !== undefined) return found;
  }
  const launcher = words.slice(1).find((word) => isLauncher(word));
  if (launcher !== undefined && first === command) return commandBelongsAfter(launcher, command);
  return undefined;
}

/** A command as a shell takes it. */
function line(...words: readonly string[]): string {
  return `longwire ${words.map((word) => (word === '…' ? word : shellWord(word))).join(' ')}`;
}
