import { didYouMean, isCredentialName } from '@longwire/client/internal';
import type { ServerConfig } from '@longwire/client/config';
import { usageError } from './command-error.js';
import { configFileName, namesIn, readConfiguration, type Configuration } from './configuration.js';
import type { Context } from './context.js';
import { warnOfEnvironment } from './environment.js';
import { checkTargetOptions } from './target-options.js';
import { sanitizeLine } from './sanitize.js';
import { shellWord } from './shell-word.js';
import {
  isTarget,
  looksLikeAddress,
  parseTarget,
  type AllServers,
  type NamedServer,
  type Server,
} from './target.js';

/** The word for every server that has a name. */
export const allServers = '@all';

/**
 * The one server that a command is about: a word (URL or name), or the command after `--`, else
 * `MCP_SERVER_URL`.
 *
 * @throws LongwireError (usage) if none is given, or both a word and a command, or the options do not
 * fit; LongwireError (code `config`) for a name that cannot be used.
 */
export async function chooseServer(word: string | undefined, context: Context): Promise<Server> {
  const { command, options } = context;
  if (word === allServers) {
    throw usageError(`${allServers} is every server, and this is about one: write its name`);
  }
  const named = word === undefined ? undefined : await serverOf(word, context);
  if (named !== undefined && command !== undefined) {
    const what = named.config === undefined ? 'a URL' : `"${word}"`;
    throw usageError(`${what} and a command after -- are two servers: leave one of them out`);
  }
  const server =
    named ?? (command === undefined ? await defaultServer(context) : { target: command });
  checkTargetOptions([server], options);
  return server;
}

/**
 * Every server that the words name, `@all` included, and the command after `--`; else
 * `MCP_SERVER_URL`. `onAll` is called with what `@all` means.
 *
 * @throws as {@link chooseServer}.
 */
export async function chooseServers(
  words: readonly string[],
  context: Context,
  onAll: (all: AllServers) => void,
): Promise<Server[]> {
  const { command, options } = context;
  const servers: Server[] = [];
  for (const word of new Set(words)) {
    if (word !== allServers) servers.push(await serverOf(word, context));
    else {
      const all = await everyServer(context);
      onAll(all);
      servers.push(...all.servers);
    }
  }
  if (command !== undefined) servers.push({ target: command });
  if (words.length === 0 && command === undefined) servers.push(await defaultServer(context));
  const unique = servers.filter(
    ({ config }, index) =>
      config === undefined ||
      servers.findIndex((other) => other.config?.name === config.name) === index,
  );
  checkTargetOptions(unique, options);
  return unique;
}

/**
 * Every server of the configuration, for a command that is about nothing else.
 *
 * @throws LongwireError (usage) where there is a command after `--`, or the options fit none;
 * LongwireError (code `config`) where there is no file, or it has mistakes.
 */
export async function chooseAll(context: Context): Promise<AllServers> {
  refuseCommand(context);
  const all = await everyServer(context);
  checkTargetOptions(all.servers, context.options);
  return all;
}

/** @throws LongwireError (usage) where there is a command after `--`, which has no name. */
export function refuseCommand({ command }: Context): void {
  if (command === undefined) return;
  throw usageError('this is about servers that have a name: leave out what comes after --');
}

/**
 * Every server that has a name and is not disabled. Of files that nobody named, only servers that the
 * user allowed as they are now, those of other programs included.
 *
 * @throws LongwireError (code `config`) where there is none, or the file has mistakes.
 */
async function everyServer(context: Context): Promise<AllServers> {
  const configuration = await readConfiguration(context);
  if (configuration?.isNamed !== true) {
    const { allowedServers } = await import('./hosts/allowed-servers.js');
    const all = await allowedServers(context, configuration);
    const credential = Object.keys(context.options.headers).find(isCredentialName);
    if (credential !== undefined && all.servers.length > 0) {
      throw usageError(
        `--header ${credential} would go to servers that nobody named: write their names, or --config ${all.file}`,
      );
    }
    if (all.servers.length + all.unusable.size > 0) return all;
    if (all.skipped.size > 0) {
      throw usageError(
        `no server is allowed yet, and only those that are count where none is named: longwire servers allow NAME, or --config ${all.file}`,
        { code: 'config' },
      );
    }
  }
  const { file, servers, unusable } = await neededConfiguration(context);
  const chosen = [...servers.values()]
    .filter(({ disabled }) => !disabled)
    .map((config) => ({ target: config.target, config }));
  if (chosen.length + unusable.size === 0 || configuration?.isNamed !== true) {
    throw usageError(`${file} has no server that is not disabled`, { code: 'config' });
  }
  return { file, servers: chosen, unusable, skipped: new Map() };
}

/**
 * The configuration, for a command that needs one.
 *
 * @throws LongwireError (code `config`)
 */
export async function neededConfiguration(context: Context): Promise<Configuration> {
  const configuration = await readConfiguration(context);
  if (configuration !== undefined) return configuration;
  throw usageError(`there is no ${configFileName} here: write one, or name a file with --config`, {
    code: 'config',
  });
}

/**
 * Splits the server from the words of a call. The first word is a server if it is a URL, or if it is a
 * name and the next word can only be a tool: so no file can turn a tool's name into a command.
 *
 * @throws LongwireError (code `config`) for a configuration with mistakes.
 */
export async function splitServer(
  words: readonly string[],
  context: Context,
): Promise<[server: string | undefined, rest: string[]]> {
  const [first, ...rest] = words;
  if (first === undefined) return [undefined, []];
  const { options, environment, command, connected } = context;
  if (connected !== undefined) return [undefined, [...words]];
  if (isTarget(first) || first === allServers || options.configFile !== undefined) {
    return [first, rest];
  }
  const [second] = rest;
  const isTool = second !== undefined && !second.includes('=');
  const isAlone = second === undefined && (command ?? environment.serverUrl) === undefined;
  if (!isTool && !isAlone) return [undefined, [...words]];
  if ((await hostIn(first)) !== undefined) return [first, rest];
  const configuration = await readConfiguration(context);
  const isName = configuration !== undefined && namesIn(configuration).includes(first);
  return isName ? [first, rest] : [undefined, [...words]];
}

/**
 * Refuses the name of a server that may be that of a tool of `MCP_SERVER_URL`, too, if the server is of a
 * file that was only found, and was not allowed: no such file can turn a tool's name into a command.
 *
 * @throws LongwireError (code `config`)
 */
export async function refuseAmbiguous(name: string, context: Context): Promise<void> {
  if (name === allServers || isTarget(name)) return;
  const configuration = await configurationOf(name, context);
  const config = configuration?.servers.get(name);
  if (configuration === undefined || configuration.isNamed || config === undefined) return;
  const { Allowances } = await import('./hosts/allowances.js');
  if (new Allowances(context).standingOf(config, configuration) === 'allowed') return;
  throw usageError(
    `"${name}" is a server of ${configuration.file}, and may be a tool of MCP_SERVER_URL: longwire servers allow ${shellWord(name)}, or write the URL before the tool`,
    { code: 'config' },
  );
}

/** The server that a word means. */
async function serverOf(word: string, context: Context): Promise<Server> {
  if (isTarget(word)) return { target: parsed(word, 'target') };
  const configuration = await configurationOf(word, context);
  const isName = configuration !== undefined && namesIn(configuration).includes(word);
  if (!isName) await refuseOthersName(word, context);
  if (configuration === undefined || (!isName && looksLikeAddress(word))) {
    return { target: parsed(word, 'target') };
  }
  const server = await usableServer(word, configuration, context);
  tellMistakes(context, configuration);
  return server;
}

/**
 * The configuration that a name is looked up in: that of another program where it begins with one, as in
 * `cursor:github`, else the `longwire.json`. With `--config`, that file alone.
 */
async function configurationOf(
  name: string,
  context: Context,
  inputs: Readonly<Record<string, string>> = {},
): Promise<Configuration | undefined> {
  const host = context.options.configFile === undefined ? await hostIn(name) : undefined;
  if (host === undefined) return await readConfiguration(context, inputs);
  const { hostConfiguration } = await import('./hosts/host-servers.js');
  return await hostConfiguration(context, name, inputs);
}

/** @throws LongwireError (code `config`) where servers of other programs are called so. */
async function refuseOthersName(word: string, context: Context): Promise<void> {
  if (context.options.configFile !== undefined || looksLikeAddress(word)) return;
  const { hostServersCalled } = await import('./hosts/host-servers.js');
  const others = await hostServersCalled(context, word);
  if (others.length === 0) return;
  throw usageError(
    `there is no server "${word}" here. Did you mean ${others.slice(0, 5).join(', ')}?`,
    { code: 'config' },
  );
}

/** The program that a name begins with; loads what knows them only where there may be one. */
async function hostIn(name: string): Promise<string | undefined> {
  if (!/^\.?[a-z][a-z-]*:/.test(name)) return undefined;
  return (await import('./hosts/host-files.js')).hostOf(name);
}

/**
 * Names the servers that a mistake in the file makes unusable: its author would look for them. A server
 * that only lacks a variable may do so on purpose, and what another program makes of its file is not
 * ours to say.
 */
function tellMistakes(
  { terminal, redactor }: Context,
  { unusable, isForeign }: Configuration,
): void {
  for (const [name, { problems, message }] of isForeign ? [] : unusable) {
    if (problems.every(({ variable }) => variable !== undefined)) continue;
    terminal.remarkOnce(redactor.message(sanitizeLine(`${name} cannot be used: ${message}`)));
  }
}

/**
 * The server of that name, for a command that takes no other.
 *
 * @throws LongwireError (code `config`) where there is none, or it cannot be used.
 */
export async function namedServer(name: string, context: Context): Promise<NamedServer> {
  return await usableServer(name, await configurationFor(name, context), context);
}

/**
 * The configuration that a name is looked up in, for a command that needs one.
 *
 * @throws LongwireError (code `config`) where there is none.
 */
export async function configurationFor(
  name: string,
  context: Context,
  inputs: Readonly<Record<string, string>> = {},
): Promise<Configuration> {
  return (await configurationOf(name, context, inputs)) ?? (await neededConfiguration(context));
}

/** The server of that name, which the user may use as it is now. */
async function usableServer(
  name: string,
  found: Configuration,
  context: Context,
): Promise<NamedServer> {
  const configuration = await withInputs(name, found, context);
  const config = configIn(name, configuration);
  if (!configuration.isNamed) {
    const { requireUnchanged } = await import('./hosts/consent.js');
    await requireUnchanged(context, config, configuration);
  }
  return { target: config.target, config };
}

/** The same, read with what a person answers, where the server lacks only that. */
async function withInputs(
  name: string,
  configuration: Configuration,
  context: Context,
): Promise<Configuration> {
  const error = configuration.unusable.get(name);
  if (error === undefined) return configuration;
  const { askInputs, lackedInputs } = await import('./hosts/ask-inputs.js');
  const answers = await askInputs(context, configuration, { name, ids: lackedInputs(error) });
  if (answers === undefined) return configuration;
  return await configurationFor(name, context, answers);
}

/**
 * What the configuration says of a server.
 *
 * @throws LongwireError (code `config`) where there is none, or it cannot be used.
 */
export function configIn(name: string, configuration: Configuration): ServerConfig {
  const { file, servers, unusable } = configuration;
  const error = unusable.get(name);
  if (error !== undefined) throw error;
  const config = servers.get(name);
  if (config === undefined) {
    const names = namesIn(configuration);
    const there = names.length === 0 ? ' It has none.' : ` There are ${names.join(', ')}.`;
    const hint = didYouMean(name, names) || there;
    throw usageError(`${file} has no server "${name}".${hint}`, { code: 'config' });
  }
  if (config.disabled) {
    throw usageError(`server "${name}" is disabled in ${config.place}`, { code: 'config' });
  }
  return config;
}

/** `MCP_SERVER_URL`, if nothing is named. */
async function defaultServer(context: Context): Promise<Server> {
  const { environment, options } = context;
  if (options.configFile === undefined) {
    warnOfEnvironment(context, 'MCP_SERVER_URL');
    const { serverUrl } = environment;
    if (serverUrl !== undefined) return { target: parsed(serverUrl, 'MCP_SERVER_URL') };
  }
  const configuration = await readConfiguration(context);
  const names = configuration === undefined ? [] : namesIn(configuration);
  const message =
    configuration === undefined || names.length === 0
      ? 'no server given: write its URL, or -- and the command that starts it, or set MCP_SERVER_URL'
      : `no server given: write one of ${names.join(', ')} of ${configuration.file}, or a URL`;
  throw usageError(message, { code: 'config' });
}

function parsed(word: string, source: string): string {
  parseTarget(word, source);
  return word;
}
