import { didYouMean } from '@longwire/client/internal';
import { callWritten } from '../call-tool.js';
import type { Context } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import { printResult } from '../print-result.js';
import type { MediaFolder } from '../save-media.js';
import { sanitizeLine } from '../sanitize.js';
import { usageError } from '../command-error.js';
import type { Step } from '../editor/prompt-loop.js';
import type { Servers } from './servers.js';
import { splitWords } from '../split-words.js';

/** What the commands of the prompt work on. */
export interface SlashSetting {
  context: Context;
  servers: Servers;
  media: MediaFolder;
  /** Starts a new conversation; undefined if there is none. */
  reset: (() => void) | undefined;
}

const commands: Readonly<Record<string, string>> = {
  '/help': 'this list',
  '/tools': 'the tools of the servers',
  '/servers': 'the servers and how they are reached',
  '/call': 'call a tool yourself: /call tool name=value …',
  '/reset': 'start a new conversation',
  '/quit': 'quit (so do Ctrl-D, and Ctrl-C twice)',
};

/** More than this do not fit on a screen. */
const maxCompletions = 200;

/** What Tab offers: the commands, and the tools where one is expected. */
export function completions(line: string, servers: Servers, direct: boolean): string[] {
  if (line.startsWith('/') && !line.includes(' ')) {
    return Object.keys(commands).filter((name) => name.startsWith(line));
  }
  const prefix = line.startsWith('/call ') ? '/call ' : '';
  if (!direct && prefix === '') return [];
  const tool = line.slice(prefix.length);
  return servers.toolNames
    .filter((name) => name.startsWith(tool) && isWritable(name))
    .slice(0, maxCompletions)
    .map((name) => `${prefix}${name} `);
}

/** Whether the line editor may print a name, which it does without sanitizing it. */
function isWritable(name: string): boolean {
  return name.length <= 256 && sanitizeLine(name) === name;
}

/**
 * Runs a line that begins with `/`.
 *
 * @throws LongwireError (usage) for one that is unknown.
 */
export async function slashCommand(
  line: string,
  signal: AbortSignal,
  setting: SlashSetting,
): Promise<Step> {
  const { context, servers, reset } = setting;
  const { terminal } = context;
  const [name = ''] = line.split(/\s/, 1);
  switch (name) {
    case '/help':
      for (const [command, does] of Object.entries(commands)) {
        terminal.print(`${terminal.colors.cyan(command.padEnd(10))}${does}`);
      }
      return 0;
    case '/tools':
      await servers.printTools(signal);
      return 0;
    case '/servers':
      await servers.printServers(signal);
      return 0;
    case '/call':
      return callDirectly(line.slice(name.length), signal, setting);
    case '/reset':
      reset?.();
      terminal.remark(reset ? 'The conversation starts anew.' : 'There is no conversation.');
      return 0;
    case '/quit':
    case '/exit':
      return 'quit';
    default:
      throw usageError(
        `there is no ${name}.${didYouMean(name, Object.keys(commands)) || ' /help lists what there is.'}`,
      );
  }
}

/** Calls a tool as the prompt says, `tool name=value …`, and prints its result; an error of it: 1. */
export async function callDirectly(
  text: string,
  signal: AbortSignal,
  { context, servers, media }: SlashSetting,
): Promise<ExitCode> {
  const [word, ...words] = splitWords(text);
  if (word === undefined) throw usageError('write a tool and its arguments: tool name=value …');
  const { client, tool } = await servers.find(word, signal);
  const result = await callWritten(context, client, { tool, words }, { signal });
  return printResult(context.terminal, result, { tool, media });
}
