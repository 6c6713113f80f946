import { didYouMean } from '@longwire/client/internal';
import { usageError } from '../command-error.js';
import { meantCommand } from '../meant-command.js';
import { splitWords } from '../split-words.js';

/** Commands of the command line that a session has, and what its help says of them. */
export const COMMANDS = {
  call: ['TOOL name=value …', 'call a tool; without `call`, too'],
  task: ['ID', 'take up a task: a call that was left'],
  tools: ['[NAME|PATTERN]', 'list the tools, or show one of them'],
  resources: ['', 'list the resources'],
  prompts: ['', 'list the prompts'],
  read: ['URI [name=value …]', 'print a resource'],
  prompt: ['NAME [name=value …]', 'print the messages of a prompt'],
  complete: ['NAME arg=begin', 'values for an argument'],
  inspect: ['', 'what the server is'],
} as const;

/** Commands that only a session has. */
export const OWN_COMMANDS = {
  watch: ['[on|off|LEVEL|URI]', 'show what the server says by itself'],
  unwatch: ['URI', 'no longer be told of changes of a resource'],
  trace: ['[on|off]', 'show each message and HTTP exchange'],
  servers: ['', 'the servers, and how they are'],
  edit: ['', 'write a line in VISUAL or EDITOR'],
  help: ['[COMMAND]', 'this list, or the help of a command'],
  quit: ['', 'quit; so do Ctrl-D, and Ctrl-C twice'],
} as const;

/** A line of a session, taken apart. */
export type WrittenLine =
  | { readonly kind: 'own'; readonly command: keyof typeof OWN_COMMANDS; readonly words: string[] }
  | {
      readonly kind: 'command';
      readonly command: keyof typeof COMMANDS;
      /** The server that the line names. */
      readonly server: string | undefined;
      readonly words: string[];
    };

/**
 * What a line says: a command, else a tool and its arguments. A server may be named before the other
 * words, as on the command line.
 *
 * @throws LongwireError (usage) for a word that is neither a command nor, as far as known, a tool.
 */
export function readLine(
  line: string,
  { servers, tools }: { servers: readonly string[]; tools: readonly string[] },
): WrittenLine | undefined {
  const [first, ...rest] = splitWords(line);
  if (first === undefined) return undefined;
  if (first === 'exit') return { kind: 'own', command: 'quit', words: rest };
  if (isOwn(first)) return { kind: 'own', command: first, words: rest };
  const command = meantCommand(first);
  if (isCommand(command)) {
    const [word = ''] = rest;
    const isNamed = servers.includes(word);
    const words = isNamed ? rest.slice(1) : rest;
    if (command === 'call') refuseSeveral(line, words, tools);
    return { kind: 'command', command, server: isNamed ? word : undefined, words };
  }
  const guess = didYouMean(first, [...Object.keys(COMMANDS), ...Object.keys(OWN_COMMANDS)]);
  if (guess !== '' && rest.length === 0 && !tools.includes(first)) {
    throw usageError(`there is no command "${first}".${guess}`);
  }
  const words = [first, ...rest];
  refuseSeveral(line, words, tools);
  return { kind: 'command', command: 'call', server: undefined, words };
}

/** @throws LongwireError (usage) for a call that has another command below it, as when lines are pasted. */
function refuseSeveral(
  line: string,
  [, ...args]: readonly string[],
  tools: readonly string[],
): void {
  if (!line.includes('\n')) return;
  const next = args.find(
    (word) => isOwn(word) || isCommand(meantCommand(word)) || tools.includes(word),
  );
  if (next === undefined) return;
  throw usageError(
    `lines that are sent at once are one command, and "${next}" begins another: send each by itself`,
  );
}

function isOwn(word: string): word is keyof typeof OWN_COMMANDS {
  return Object.hasOwn(OWN_COMMANDS, word);
}

function isCommand(word: string): word is keyof typeof COMMANDS {
  return Object.hasOwn(COMMANDS, word);
}
