import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { ConfigError } from '@longwire/client';
import { isCredentialName } from '@longwire/client/internal';
import type { ConfigInput, ServerConfig } from '@longwire/client/config';
import type { Context } from './context.js';
import { readDotEnv } from './environment.js';
import { addProxy } from './network.js';
import type { Redactor } from './redact.js';
import { sanitizeLine } from './sanitize.js';
import { writtenTarget } from './target.js';

/** The file that is read if none is named. */
export const configFileName = 'longwire.json';

/** The servers that have names. */
export interface Configuration {
  /** The file, as it is called in messages. */
  file: string;
  /** Where it is. */
  path: string;
  /** Whether the user named the file; otherwise it was found, by any author. */
  isNamed: boolean;
  /** Whether it is another program's, found where that keeps it. */
  isForeign: boolean;
  /** The profile that is laid over the servers. */
  profile: string | undefined;
  /** Those that can be used, and those that are disabled. */
  servers: ReadonlyMap<string, ServerConfig>;
  /** Why the others cannot. */
  unusable: ReadonlyMap<string, ConfigError>;
  /** What the file says of each, whether it can be used or not. */
  written: ReadonlyMap<string, unknown>;
  /** What a person is asked for before a server is used. */
  inputs: readonly ConfigInput[];
  /** Variables that came from the `.env` beside the file and not from the environment. */
  ownVariables: Readonly<Record<string, string | undefined>>;
  /** What in the file has no effect here. */
  remarks: readonly string[];
}

/**
 * Reads the file of `--config`, else the `longwire.json` of the working directory; `undefined`
 * if there is none. The redactor knows its secrets from then on.
 *
 * @throws LongwireError (code `config`) for a file with mistakes in it, or that cannot be read.
 */
export async function readConfiguration(
  context: Context,
  inputs: Readonly<Record<string, string>> = {},
): Promise<Configuration | undefined> {
  const { options, cwd, env, terminal } = context;
  const { configFile: file = configFileName } = options;
  const isNamed = options.configFile !== undefined;
  if (!isNamed && !existsSync(join(cwd, file))) return undefined;
  const directory = dirname(resolve(cwd, file));
  const named = env['LONGWIRE_PROFILE'] ?? readDotEnv(directory)['LONGWIRE_PROFILE'];
  const { profile = named?.trim() || undefined } = options;
  const read = await readServersFile(context, file, { variablesFrom: directory, profile, inputs });
  for (const remark of read.remarks) terminal.remarkOnce(sanitizeLine(remark));
  return isNamed ? { ...read, isNamed } : await withoutHostNames(read);
}

/**
 * The same without names that are those of other programs' servers, as `cursor:github`: a file that was
 * only found must not stand for them.
 */
async function withoutHostNames(configuration: Configuration): Promise<Configuration> {
  if (!namesIn(configuration).some((name) => name.includes(':'))) return configuration;
  const [{ hostOf }, { ConfigError }] = await Promise.all([
    import('./hosts/host-files.js'),
    import('@longwire/client/config'),
  ]);
  const servers = new Map(configuration.servers);
  const unusable = new Map(configuration.unusable);
  for (const name of namesIn(configuration).filter((each) => hostOf(each) !== undefined)) {
    const place = servers.get(name)?.place ?? configuration.file;
    servers.delete(name);
    const message = `${place}: the name "${name}" is one of another program's servers: rename it`;
    unusable.set(name, new ConfigError(message, { problems: [] }));
  }
  return { ...configuration, servers, unusable };
}

/** How a file of servers is read. */
interface ReadingOptions {
  /**
   * The directory whose `.env` has the variables that are not in the environment; that beside the file
   * only: otherwise the author of another directory could decide where the tokens of the user's own
   * file are sent. Default: none.
   */
  variablesFrom?: string | undefined;
  profile?: string | undefined;
  foreign?: boolean;
  project?: string;
  inputs?: Readonly<Record<string, string>>;
}

/**
 * Reads one file of servers that was found, and not named. The redactor knows its secrets from then on.
 *
 * @throws LongwireError (code `config`) as {@link readConfiguration}.
 */
export async function readServersFile(
  { cwd, env, redactor }: Pick<Context, 'cwd' | 'env' | 'redactor'>,
  file: string,
  { variablesFrom, ...options }: ReadingOptions,
): Promise<Configuration> {
  const { inputVariable, loadConfig } = await import('@longwire/client/config');
  const beside = variablesFrom === undefined ? {} : readDotEnv(variablesFrom);
  const ownVariables = Object.fromEntries(
    Object.entries(beside).filter(([name]) => env[name] === undefined),
  );
  const all = { ...env, ...ownVariables };
  const { inputs: answers = {} } = options;
  const unusable = new Map<string, ConfigError>();
  const written = new Map<string, unknown>();
  const { servers, inputs, remarks } = loadConfig(file, {
    ...options,
    env: all,
    cwd,
    onUnusable: (name, error, value) => {
      unusable.set(name, error);
      written.set(name, value);
    },
  });
  for (const config of servers) written.set(config.name, config.written);
  for (const server of servers) learnSecrets(server, { redactor, env: all });
  const open = new Set(inputs.flatMap(({ id, isSecret }) => (isSecret ? [] : [id])));
  for (const id of new Set([...inputs.map((each) => each.id), ...Object.keys(answers)])) {
    if (!open.has(id)) redactor.add(answers[id] ?? all[inputVariable(id)]);
  }
  return {
    file,
    path: resolve(cwd, file),
    isNamed: false,
    isForeign: options.foreign === true,
    profile: options.profile,
    servers: new Map(servers.map((each) => [each.name, each])),
    unusable,
    written,
    inputs,
    ownVariables,
    remarks,
  };
}

/** All names, in any order. */
export function namesIn({ servers, unusable }: Configuration): string[] {
  return [...servers.keys(), ...unusable.keys()];
}

function learnSecrets(
  { target, options, network, middleware, variables }: ServerConfig,
  { redactor, env }: { redactor: Redactor; env: Readonly<Record<string, string | undefined>> },
): void {
  for (const name of variables) if (isCredentialName(name)) redactor.add(env[name]);
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    redactor.addHeader(name, value);
  }
  if (network.proxy !== undefined) addProxy(redactor, network.proxy);
  redactor.add(network.passphrase);
  for (const { options: written } of middleware) {
    for (const [name, value] of Object.entries(written)) {
      if (typeof value === 'string' && isCredentialName(name)) redactor.addHeader(name, value);
    }
  }
  if (typeof target === 'string') {
    if (URL.canParse(target)) redactor.addUrl(new URL(target));
    return;
  }
  for (const [name, value] of Object.entries(target.env ?? {})) redactor.addVariable(name, value);
  redactor.addCommand([target.command, ...(target.args ?? [])]);
}

/** A server's target on one line, to be shown. */
export function shownTarget({ target }: ServerConfig, redactor: Redactor): string {
  return redactor.message(writtenTarget(target));
}
