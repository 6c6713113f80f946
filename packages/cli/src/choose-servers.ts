import type { ConfigError } from '@longwire/client';
import { didYouMean, isCredentialName } from '@longwire/client/internal';
import type { ServerConfig } from '@longwire/client/config';
import { usageError } from './command-error.js';
import { configFileName, namesIn, readConfiguration, type Configuration } from './configuration.js';
import type { Context } from './context.js';
import { warnOfEnvironment } from './environment.js';
import { checkTargetOptions } from './target-options.js';
import { sanitizeLine } from './sanitize.js';
import { isTarget, looksLikeAddress, parseTarget, type Server } from './target.js';

/** The word for every server that has a name. */
export const allServers = '@all';

/** What `@all` stands for. */
export interface AllServers {
  file: string;
  servers: (Server & { config: ServerConfig })[];
  /** Servers that cannot be used, and why. */
  unusable: ReadonlyMap<string, ConfigError>;
  /** Servers that are left out because nobody named them or the file, and why. */
  skipped: ReadonlyMap<string, string>;
}

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
 * Every server that has a name and is not disabled. Of a file that nobody named, only servers that get
 * nothing from the user: neither a process, nor a variable of the environment.
 *
 * @throws LongwireError (code `config`) where there is no file, or it has mistakes.
 */
async function everyServer(context: Context): Promise<AllServers> {
  const { file, isNamed, servers, unusable } = await neededConfiguration(context);
  const enabled = [...servers.values()].filter(({ disabled }) => !disabled);
  const credential = Object.keys(context.options.headers).find(isCredentialName);
  if (!isNamed && credential !== undefined) {
    throw usageError(
      `--header ${credential} would go to servers that nobody named: write their names, or --config ${file}`,
    );
  }
  const skipped = new Map<string, string>();
  for (const { name, target, variables } of isNamed ? [] : enabled) {
    const why =
      typeof target === 'string'
        ? variables.length > 0 && `it is sent ${variables.join(', ')}`
        : 'it is a command';
    if (why !== false) {
      skipped.set(name, `${why}, and nobody named it: write its name, or --config ${file}`);
    }
  }
  const chosen = enabled
    .filter(({ name }) => !skipped.has(name))
    .map((config) => {
      const own = isNamed ? config : withoutTrust(config);
      if (own !== config) {
        context.terminal.remarkOnce(
          sanitizeLine(
            `What ${file} says of how far ${config.name} is trusted does not count, as nobody named it: write its name, or --config ${file}`,
          ),
        );
      }
      return { target: own.target, config: own };
    });
  if (chosen.length + unusable.size + skipped.size === 0) {
    throw usageError(`${file} has no server that is not disabled`, { code: 'config' });
  }
  return { file, servers: chosen, unusable, skipped };
}

/** The same server without any trust. */
function withoutTrust(config: ServerConfig): ServerConfig {
  const { trusted, ...options } = config.options;
  const overrides = Object.entries(config.tools.override ?? {});
  const hasHints = overrides.some(([, { annotations }]) => annotations !== undefined);
  if (trusted !== true && !hasHints) return config;
  const override = Object.fromEntries(
    overrides.map(([tool, own]) => {
      const rest = { ...own };
      delete rest.annotations;
      return [tool, rest];
    }),
  );
  return { ...config, options, tools: { ...config.tools, ...(hasHints && { override }) } };
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
  const configuration = await readConfiguration(context);
  const isName = configuration !== undefined && namesIn(configuration).includes(first);
  return isName ? [first, rest] : [undefined, [...words]];
}

/** The server that a word means. */
async function serverOf(word: string, context: Context): Promise<Server> {
  if (isTarget(word)) return { target: parsed(word, 'target') };
  const configuration = await readConfiguration(context);
  const isName = configuration !== undefined && namesIn(configuration).includes(word);
  if (configuration === undefined || (!isName && looksLikeAddress(word))) {
    return { target: parsed(word, 'target') };
  }
  const server = namedServer(word, configuration);
  tellMistakes(context, configuration);
  return server;
}

/**
 * Names the servers that a mistake in the file makes unusable: its author would look for them. A server
 * that only lacks a variable may do so on purpose.
 */
function tellMistakes({ terminal, redactor }: Context, { unusable }: Configuration): void {
  for (const [name, { problems, message }] of unusable) {
    if (problems.every(({ variable }) => variable !== undefined)) continue;
    terminal.remarkOnce(redactor.message(sanitizeLine(`${name} cannot be used: ${message}`)));
  }
}

/** The server of that name. */
export function namedServer(
  name: string,
  configuration: Configuration,
): Server & { config: ServerConfig } {
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
  return { target: config.target, config };
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
