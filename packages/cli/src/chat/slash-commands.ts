import { didYouMean } from '@longwire/client/internal';
import { callWritten } from '../call-tool.js';
import { howToSetKey } from '../environment.js';
import type { ExitCode } from '../exit-codes.js';
import { printResult } from '../print-result.js';
import { sanitizeLine } from '../sanitize.js';
import { usageError } from '../command-error.js';
import type { Step } from '../editor/prompt-loop.js';
import { splitWords } from '../split-words.js';
import { renderTable } from '../table.js';
import type { SlashSetting } from './setting.js';
import { listResources, readForClaude, sendPrompt } from './slash-content.js';

const commands: Readonly<Record<string, string>> = {
  '/help': 'this list',
  '/tools': 'the tools of the servers',
  '/servers': 'the servers and how they are reached',
  '/call': 'call a tool yourself: /call tool name=value …',
  '/resources': 'what the servers have to read',
  '/read': 'attach a resource to the next question: /read URI name=value …',
  '/prompt': "ask with a server's prompt: /prompt name key=value …",
  '/model': 'which model answers; /model NAME asks another from now on',
  '/usage': 'the tokens of the last turn and of all',
  '/edit': 'write the line in your own editor',
  '/reset': 'start a new conversation',
  '/quit': 'quit (so do Ctrl-D, and Ctrl-C twice)',
};

/** The first words of such lines. */
export const slashNames: readonly string[] = Object.keys(commands);

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
  const { context, servers, agent, attachments, usage } = setting;
  const { terminal } = context;
  const [name = ''] = line.split(/\s/, 1);
  switch (name) {
    case '/help':
      terminal.print(renderTable(['line', 'does'], Object.entries(commands), terminal));
      return 0;
    case '/tools':
      await servers.printTools(signal);
      return 0;
    case '/servers':
      await servers.printServers(signal);
      return 0;
    case '/call':
      return callDirectly(line.slice(name.length), signal, setting);
    case '/resources':
      return await listResources(setting, signal);
    case '/read':
      return await readForClaude(line.slice(name.length), signal, setting);
    case '/prompt':
      return await sendPrompt(line.slice(name.length), signal, setting);
    case '/model': {
      const model = line.slice(name.length).trim();
      if (agent === undefined) throw usageError(`there is no Claude here: ${howToSetKey}`);
      if (model !== '') agent.useModel(model);
      terminal.print(`${sanitizeLine(agent.model)}${model === '' ? '' : ' answers from now on'}`);
      return 0;
    }
    case '/usage':
      for (const each of usage.describe()) terminal.print(each);
      return 0;
    case '/reset':
      agent?.reset();
      attachments.clear();
      terminal.remark(agent ? 'The conversation starts anew.' : 'There is no conversation.');
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
