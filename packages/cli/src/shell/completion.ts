import type { LongwireClient, Tool } from '@longwire/client';
import { LOG_LEVELS } from '@longwire/client/internal';
import { referenceTo } from '../complete-argument.js';
import { argumentCandidates, toolCandidates } from '../completion/candidates.js';
import type { Candidate, Complete } from '../editor/completion.js';
import { sanitizeLine } from '../sanitize.js';
import { splitWords } from '../split-words.js';
import { firstLine } from '../tool-table.js';
import { COMMANDS, OWN_COMMANDS } from './written-line.js';

/** What is offered from. */
export interface Offered {
  readonly clients: readonly LongwireClient[];
  /** The tools of a server, or of all; as they were listed last, or asked for now. */
  tools(client: LongwireClient | undefined, signal: AbortSignal): Promise<readonly Tool[]>;
  /** The tasks that were left on a server in this session, or on all. */
  taskIds?(client: LongwireClient | undefined): readonly string[];
}

/** More do not fit on a screen. */
const maxCandidates = 200;

/** What a word may become. */
interface Value {
  readonly value: string;
  readonly about?: string | undefined;
  /** More of it is to be typed: no blank behind it. */
  readonly isBegun?: boolean;
}

/** Completes the words of a session: commands, tools, arguments, resources, prompts, and their values. */
export function createCompletion(offered: Offered): Complete {
  return async (text, signal) => {
    const from = wordStart(text);
    const word = text.slice(from);
    const values = await valuesFor(offered, splitWords(text.slice(0, from)), { word, signal });
    const candidates = values
      .filter(({ value }) => value.startsWith(word) && isWritable(value))
      .slice(0, maxCandidates)
      .map(asCandidate);
    return { from, candidates };
  };
}

/** Where the last word begins; as `splitWords` has it, quotes hold blanks. */
function wordStart(text: string): number {
  let start = 0;
  let quote: string | undefined;
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? '';
    if (quote !== undefined) {
      if (character === '\\') at++;
      else if (character === quote) quote = undefined;
    } else if (/\s/.test(character)) {
      start = at + 1;
    } else if (`"'`.includes(character) && (at === start || text[at - 1] === '=')) {
      quote = character;
    }
  }
  return start;
}

async function valuesFor(
  offered: Offered,
  before: readonly string[],
  { word, signal }: { word: string; signal: AbortSignal },
): Promise<readonly Value[]> {
  const [command, ...rest] = before;
  const { clients } = offered;
  if (command === undefined) {
    const tools = await offered.tools(undefined, signal).catch(() => []);
    return [...commandValues(), ...toolCandidates(tools)];
  }
  const named = clients.find(({ name }) => name === rest[0]);
  const given = named === undefined ? rest : rest.slice(1);
  const asked = named ?? (clients.length === 1 ? clients[0] : undefined);
  const servers =
    clients.length > 1 && rest.length === 0 ? clients.map(({ name }) => ({ value: name })) : [];
  switch (command) {
    case 'call':
      return [...servers, ...(await ofTool(offered, asked, given, { word, signal }))];
    case 'task':
      if (given.length > 0) return [];
      return [...servers, ...(offered.taskIds?.(asked) ?? []).map((value) => ({ value }))];
    case 'tools':
    case 'describe':
    case 'schema':
      if (given.length > 0) return [];
      return [...servers, ...toolCandidates(await offered.tools(asked, signal))];
    case 'resources':
    case 'prompts':
    case 'inspect':
      return servers;
    case 'read':
    case 'get':
      if (given.length > 0)
        return asked === undefined ? [] : await values(asked, given, word, signal);
      return [...servers, ...(await resources(asked === undefined ? clients : [asked], signal))];
    case 'prompt':
      if (given.length > 0)
        return asked === undefined ? [] : await values(asked, given, word, signal);
      return [...servers, ...(await prompts(asked === undefined ? clients : [asked], signal))];
    case 'complete':
      if (given.length > 0)
        return asked === undefined ? [] : await values(asked, given, word, signal);
      return [
        ...servers,
        ...(await prompts(asked === undefined ? clients : [asked], signal)),
        ...(await templates(asked === undefined ? clients : [asked], signal)),
      ];
    case 'watch':
      if (given.length > 0) return [];
      return [
        ...['on', 'off', ...LOG_LEVELS].map((value) => ({ value })),
        ...(await resources(clients, signal)),
      ];
    case 'trace':
      return given.length > 0 ? [] : ['on', 'off'].map((value) => ({ value }));
    case 'help':
      return given.length > 0 ? [] : commandValues();
    default:
      return Object.hasOwn(OWN_COMMANDS, command)
        ? []
        : await ofTool(offered, undefined, before, { word, signal });
  }
}

function commandValues(): Value[] {
  return Object.entries({ ...COMMANDS, ...OWN_COMMANDS }).map(([value, [, about]]) => ({
    value,
    about,
  }));
}

/** Tools or, behind one, its arguments and their values. */
async function ofTool(
  offered: Offered,
  client: LongwireClient | undefined,
  given: readonly string[],
  { word, signal }: { word: string; signal: AbortSignal },
): Promise<Value[]> {
  const tools = await offered.tools(client, signal);
  const [name, ...before] = given;
  if (name === undefined) return toolCandidates(tools);
  const bare = offered.clients.find((each) => name.startsWith(`${each.name}/`))?.name.length;
  const tool = tools.find(
    (each) => each.name === (bare === undefined ? name : name.slice(bare + 1)),
  );
  return tool === undefined ? [] : argumentCandidates(tool, { word, before }).map(asArgument);
}

function asArgument({ value, about }: { value: string; about?: string }): Value {
  const [, name = '', rest = ''] = /^([^=]*=)(.*)$/s.exec(value) ?? [];
  return { value: `${name}${quoted(rest)}`, about, isBegun: rest === '' };
}

async function resources(
  clients: readonly LongwireClient[],
  signal: AbortSignal,
): Promise<Value[]> {
  const lists = clients
    .filter(({ capabilities }) => capabilities?.resources !== undefined)
    .map((client) => client.listResources({ signal }));
  const found = (await Promise.all(lists)).flat();
  const named = found.map(({ uri, name, title }) => ({
    value: uri,
    about: firstLine(title ?? name),
  }));
  return [...named, ...(await templates(clients, signal))];
}

async function templates(
  clients: readonly LongwireClient[],
  signal: AbortSignal,
): Promise<Value[]> {
  const lists = clients
    .filter(({ capabilities }) => capabilities?.resources !== undefined)
    // A server without templates may not know the method.
    .map((client) => client.listResourceTemplates({ signal }).catch(() => []));
  return (await Promise.all(lists)).flat().map(({ uriTemplate, name, title }) => ({
    value: uriTemplate,
    about: firstLine(title ?? name),
  }));
}

async function prompts(clients: readonly LongwireClient[], signal: AbortSignal): Promise<Value[]> {
  const lists = clients
    .filter(({ capabilities }) => capabilities?.prompts !== undefined)
    .map((client) => client.listPrompts({ signal }));
  return (await Promise.all(lists)).flat().map(({ name, title, description }) => ({
    value: name,
    about: firstLine(description ?? title),
  }));
}

/** The arguments of a prompt or a template, and the values that the server has for them. */
async function values(
  client: LongwireClient,
  [name = '', ...before]: readonly string[],
  word: string,
  signal: AbortSignal,
): Promise<Value[]> {
  const { ref, names } = await referenceTo(name, client, { signal });
  const [, argument, typed] = /^([^=]+)=(.*)$/s.exec(word) ?? [];
  if (argument === undefined || typed === undefined) {
    const written = new Set(before.map((each) => each.split('=', 1)[0]));
    return names
      .filter((each) => !written.has(each))
      .map((each) => ({ value: `${each}=`, isBegun: true }));
  }
  if (client.capabilities?.completions === undefined) return [];
  const others = before.flatMap((each) => {
    const at = each.indexOf('=');
    return at < 1 ? [] : [[each.slice(0, at), each.slice(at + 1)] as const];
  });
  const { completion } = await client.complete(
    {
      ref,
      argument: { name: argument, value: typed.replace(/^["']/, '') },
      ...(others.length > 0 && { context: { arguments: Object.fromEntries(others) } }),
    },
    { signal },
  );
  return completion.values.map((each) => ({ value: `${argument}=${quoted(each)}` }));
}

function asCandidate({ value, about, isBegun = value.endsWith('=') }: Value): Candidate {
  const note = about === undefined || about === '' ? {} : { note: sanitizeLine(about, 200) };
  return { text: isBegun ? value : `${value} `, shown: value, ...note };
}

/** A value with blanks or quotes, as a line holds it. */
function quoted(value: string): string {
  return /[\s"'\\]/.test(value) ? `"${value.replaceAll(/["\\]/g, '\\$&')}"` : value;
}

/** Whether the editor may write it, which it does without sanitizing it. */
function isWritable(value: string): boolean {
  return value.length <= 512 && sanitizeLine(value) === value;
}
