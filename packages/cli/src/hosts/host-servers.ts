import { existsSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import type { ConfigError } from '@longwire/client';
import type { ServerConfig } from '@longwire/client/config';
import { didYouMean } from '@longwire/client/internal';
import { usageError } from '../command-error.js';
import { namesIn, readServersFile, type Configuration } from '../configuration.js';
import type { Context } from '../context.js';
import { summaryOf } from '../report-error.js';
import { sanitizeLine } from '../sanitize.js';
import { hostFiles, hostOf, homeIn, type HostFile } from './host-files.js';

/** What is read of the files of other programs. */
export interface HostServers {
  /** A configuration for each file that is there; its servers have the program before their names. */
  configurations: Configuration[];
  /** Files that cannot be read, and why. */
  unreadable: { file: string; reason: string }[];
}

/**
 * Reads the servers of other programs: of their files in the working directory, and at home. What is
 * wrong with one file keeps no other from being read. Nothing is started and nothing is sent.
 */
export async function readHostServers(
  context: Context,
  {
    hosts,
    inputs = {},
  }: { hosts?: ReadonlySet<string>; inputs?: Readonly<Record<string, string>> } = {},
): Promise<HostServers> {
  const { cwd, env } = context;
  const found: HostServers = { configurations: [], unreadable: [] };
  const seen = new Set<string>();
  for (const file of hostFiles({ cwd, env })) {
    if (hosts !== undefined && !hosts.has(file.host)) continue;
    // A path that leads nowhere is no file, whatever it is.
    if (!existsSync(file.path)) continue;
    try {
      const configuration = await readHostFile(context, file, inputs);
      found.configurations.push(withoutNames(configuration, seen));
    } catch (error) {
      found.unreadable.push({ file: shownPath(file.path, context), reason: summaryOf(error) });
    }
  }
  return found;
}

/** The file with its servers' names behind that of the program. */
async function readHostFile(
  context: Context,
  { host, path }: HostFile,
  inputs: Readonly<Record<string, string>>,
): Promise<Configuration> {
  const { cwd } = context;
  const isHere = host.startsWith('.');
  const read = await readServersFile(context, isHere ? relative(cwd, path) : path, {
    // What is at home takes no variable from a file that anybody may have written.
    variablesFrom: isHere ? cwd : undefined,
    foreign: true,
    project: cwd,
    inputs,
  });
  const named = (name: string): string => `${host}:${name}`;
  const servers = [...read.servers.values()].map((config): [string, ServerConfig] => {
    const name = named(config.name);
    return [name, { ...config, name, options: { ...config.options, name } }];
  });
  const unusable = [...read.unusable].map(([name, error]): [string, ConfigError] => [
    named(name),
    error,
  ]);
  const written = [...read.written].map(([name, value]) => [named(name), value] as const);
  return {
    ...read,
    servers: new Map(servers),
    unusable: new Map(unusable),
    written: new Map(written),
  };
}

/** The same without servers whose names are taken; a program takes the first, too. */
function withoutNames(configuration: Configuration, seen: Set<string>): Configuration {
  const keep = <Value>(all: ReadonlyMap<string, Value>): Map<string, Value> =>
    new Map([...all].filter(([name]) => !seen.has(name)));
  const servers = keep(configuration.servers);
  const unusable = keep(configuration.unusable);
  const kept = { ...configuration, servers, unusable, written: keep(configuration.written) };
  for (const name of namesIn(kept)) seen.add(name);
  return kept;
}

/**
 * The configuration that has a server of another program.
 *
 * @throws LongwireError (code `config`) where none has, with what there is, or what cannot be read.
 */
export async function hostConfiguration(
  context: Context,
  name: string,
  inputs: Readonly<Record<string, string>> = {},
): Promise<Configuration> {
  const host = hostOf(name) ?? '';
  const { configurations, unreadable } = await readHostServers(context, {
    hosts: new Set([host, host.startsWith('.') ? host.slice(1) : `.${host}`]),
    inputs,
  });
  const found = configurations.find((each) => namesIn(each).includes(name));
  if (found !== undefined) return found;
  const [broken] = unreadable;
  if (broken !== undefined) {
    throw usageError(
      `there is no server "${name}": ${broken.file} cannot be used: ${broken.reason}`,
      {
        code: 'config',
      },
    );
  }
  const names = configurations.flatMap(namesIn);
  const hint = didYouMean(name, names) || ' `longwire servers` lists those that there are.';
  throw usageError(`there is no server "${name}".${hint}`, { code: 'config' });
}

/** The full names of servers of other programs that are called so after the colon. */
export async function hostServersCalled(context: Context, name: string): Promise<string[]> {
  const { configurations } = await readHostServers(context);
  return configurations
    .flatMap(namesIn)
    .filter((full) => full.slice((hostOf(full) ?? '').length + 1) === name);
}

/** A path as a person would write it: from here, or from home. */
export function shownPath(path: string, { cwd, env }: Pick<Context, 'cwd' | 'env'>): string {
  const home = homeIn(env);
  const isUnder = (directory: string): boolean => path.startsWith(join(directory, sep));
  if (isUnder(cwd)) return sanitizeLine(relative(cwd, path));
  const isAtHome = home !== undefined && isUnder(home);
  return sanitizeLine(isAtHome ? join('~', relative(home, path)) : path);
}
