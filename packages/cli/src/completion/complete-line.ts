import { Command, type Option } from 'commander';
import { loadCommands } from '../commands.js';
import type { Context } from '../context.js';
import { addCommonOptions, optionValues } from '../options.js';
import { splitWords } from '../split-words.js';
import { allServers } from '../choose-servers.js';
import { namesIn, readConfiguration } from '../configuration.js';
import { argumentCandidates, toolCandidates, type Candidate } from './candidates.js';
import { rememberedTools, rememberedWords } from './catalogues.js';
import { shells } from './scripts.js';

/** The commands whose first word is a server. */
const aboutServers =
  /^(?:inspect|tools|resources|prompts|read|prompt|complete|call|task|watch|types|shell|chat|dash|top|serve|doctor|login|logout|whoami)$/;

/** The commands whose words after the server are a tool and its arguments. */
const aboutTools = /^(?:call|tools)$/;

/**
 * What the last word of a line may become; nothing where it may be a file, or where nothing is known. It
 * starts nothing and asks no server.
 */
export async function completeLine(context: Context, line: string): Promise<Candidate[]> {
  const [, ...words] = splitWords(line);
  const word = /\s$/.test(line) ? '' : (words.pop() ?? '');
  // After it comes a command of the system.
  if (words.includes('--')) return [];
  const program = new Command('longwire');
  addCommonOptions(program);
  const { operands, awaited } = readWords(words, program.options);
  const [name, ...rest] = operands;
  for (const add of await loadCommands(name === undefined ? [] : [name])) add(program, neverRun);
  const command = program.commands.find((each) => each.name() === name);
  const options = [...program.options, ...(command?.options ?? [])];
  const own = readWords(words, options);
  const option = own.awaited ?? awaited;
  if (option !== undefined) return startingWith(word, optionValues(option.long ?? '').map(value));
  if (word.startsWith('-')) {
    return startingWith(
      word,
      options.flatMap(({ long, description }) =>
        long == null ? [] : { value: long, about: description },
      ),
    );
  }
  if (command === undefined) {
    const help = [...commandsOf(program), { value: 'options', about: 'options of every command' }];
    if (name === 'help') return startingWith(word, help);
    return name === undefined
      ? startingWith(word, [...commandsOf(program), { value: 'help' }])
      : [];
  }
  const given = own.operands.slice(1);
  return startingWith(
    word,
    await operandsOf(context, { command, given: given.length > 0 ? given : rest, word }),
  );
}

/** A word for each operand; the option that waits for its value, if the last word is one. */
function readWords(
  words: readonly string[],
  options: readonly Option[],
): { operands: string[]; awaited: Option | undefined } {
  const operands: string[] = [];
  let awaited: Option | undefined;
  for (const word of words) {
    if (awaited !== undefined) awaited = undefined;
    else if (!word.startsWith('-')) operands.push(word);
    else {
      const option = options.find(({ long, short }) => word === long || word === short);
      if (option?.required === true) awaited = option;
    }
  }
  return { operands, awaited };
}

async function operandsOf(
  context: Context,
  words: { command: Command; given: readonly string[]; word: string },
): Promise<Candidate[]> {
  const { command, given, word } = words;
  const name = command.name();
  if (name === 'completion') return given.length === 0 ? shells.map(value) : [];
  if (command.commands.length > 0 && given.length === 0) return commandsOf(command);
  if (name === 'servers') return (await namesOf(context)).map(value);
  if (!aboutServers.test(name)) return [];
  if (!aboutTools.test(name)) return await serversOf(context);
  const [first, ...rest] = given;
  const ofFirst = rememberedTools(context, first);
  const hasServer = first !== undefined && ofFirst.length > 0;
  const tools = hasServer ? ofFirst : rememberedTools(context, undefined);
  const [toolName, ...before] = hasServer ? rest : given;
  if (toolName === undefined) {
    return [...toolCandidates(tools), ...(first === undefined ? await serversOf(context) : [])];
  }
  const tool = tools.find((each) => each.name === toolName);
  return tool === undefined || name !== 'call' ? [] : argumentCandidates(tool, { word, before });
}

/** What stands for a server: a name, or a URL that was used. */
async function serversOf(context: Context): Promise<Candidate[]> {
  return [...(await namesOf(context)), allServers, ...rememberedWords(context)].map(value);
}

/** Of the `longwire.json` here, and of other programs. */
async function namesOf(context: Context): Promise<string[]> {
  const own = await readConfiguration(context).catch(() => undefined);
  if (own?.isNamed === true) return namesIn(own);
  const { readHostServers } = await import('../hosts/host-servers.js');
  const { configurations } = await readHostServers(context);
  return (own === undefined ? configurations : [own, ...configurations]).flatMap(namesIn);
}

function commandsOf(program: Command): Candidate[] {
  return program.commands.map((each) => ({ value: each.name(), about: each.description() }));
}

function startingWith(word: string, candidates: readonly Candidate[]): Candidate[] {
  return candidates.filter(({ value }) => value.startsWith(word) && isPlain(value));
}

/** A shell puts it into the line as it is: nothing in it may mean more than itself there. */
function isPlain(text: string): boolean {
  return /^[\w@%+=:,./-]+$/.test(text);
}

function value(text: string): Candidate {
  return { value: text };
}

const neverRun = (): Promise<void> => Promise.resolve();
