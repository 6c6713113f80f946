import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { didYouMean } from '@longwire/client/internal';
import { usageError } from '../command-error.js';
import { readConfiguration, readServersFile, type Configuration } from '../configuration.js';
import type { Context } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import { sanitizeLine } from '../sanitize.js';
import { shellWord } from '../shell-word.js';
import { Allowances } from './allowances.js';
import { hostNames, hostOf } from './host-files.js';
import { readHostServers, shownPath } from './host-servers.js';
import { importedEntry } from './imported-entry.js';
import { OwnFile } from './own-file.js';
import { entryOf, plainSecretsOf } from './server-entry.js';

/** Writes a server into the `longwire.json` here, or the file of `--config`. It is allowed from then on. */
export async function addServer(
  context: Context,
  name: string,
  url: string | undefined,
): Promise<ExitCode> {
  const { terminal } = context;
  const entry = entryOf(url, context);
  const file = new OwnFile(context);
  refuseTaken([name], file);
  file.add(name, entry);
  file.save({ added: [name] });
  for (const secret of plainSecretsOf(entry)) {
    terminal.remark(
      sanitizeLine(
        `The value of ${secret} is in ${file.name} now, for whoever reads that: '\${NAME}' would name a variable instead`,
      ),
    );
  }
  await allowWritten(context, [name], file);
  tell(context, file, { added: [name] });
  return 0;
}

/** Takes servers out of the `longwire.json` here, or of the file of `--config`. */
export function removeServers(context: Context, given: readonly string[]): ExitCode {
  const { terminal } = context;
  const names = [...new Set(given)];
  const file = new OwnFile(context);
  for (const name of names) {
    if (file.names.includes(name)) continue;
    const isOthers = hostOf(name) !== undefined;
    const hint = isOthers
      ? ' It is of another program: remove it there'
      : didYouMean(name, file.names);
    throw usageError(`${file.name} has no server "${name}".${hint}`, { code: 'config' });
  }
  for (const name of names) {
    for (const profile of file.profilesOf(name)) {
      terminal.remark(sanitizeLine(`Profile ${profile} of ${file.name} still has ${name}`));
    }
    file.remove(name);
  }
  file.save({ removed: names });
  tell(context, file, { removed: names });
  return 0;
}

/**
 * Copies servers of another program into the `longwire.json` here, or the file of `--config`: those of
 * the program (`cursor`), or of a file; all of them, or those that are named. Secrets are not copied.
 */
export async function importServers(
  context: Context,
  source: string,
  names: readonly string[],
): Promise<ExitCode> {
  const { cwd, terminal } = context;
  const found = await foundIn(source, context);
  const file = new OwnFile(context);
  for (const name of names) {
    if (found.has(name)) continue;
    const hint = didYouMean(name, [...found.keys()]);
    throw usageError(`${source} has no server "${name}".${hint}`, { code: 'config' });
  }
  refuseTaken(names, file);
  const added: string[] = [];
  for (const [name, written] of found) {
    const isWanted = names.length === 0 || names.includes(name);
    if (!isWanted) continue;
    const left = (why: string): void =>
      terminal.remark(sanitizeLine(`${name} is left out: ${why}`));
    if (file.names.includes(name)) {
      left(`${file.name} has a server of that name`);
      continue;
    }
    try {
      const directories = { workspaceFolder: cwd, cwd };
      const { entry, secrets } = importedEntry(name, written, directories);
      file.add(name, entry);
      added.push(name);
      for (const secret of secrets) {
        terminal.remark(
          sanitizeLine(`A secret of ${name} is not copied: set the variable ${secret} to it`),
        );
      }
    } catch (error) {
      left((error as Error).message);
    }
  }
  if (added.length === 0) {
    throw usageError(`${source} has no server that could be taken over`, { code: 'config' });
  }
  file.save({ added });
  await allowWritten(context, added, file);
  tell(context, file, { added });
  return 0;
}

/** What the files of a program, or one file, say of each server, by its name there. */
async function foundIn(source: string, context: Context): Promise<Map<string, unknown>> {
  const { cwd, env } = context;
  const isHost = hostNames.includes(source);
  const configurations: Configuration[] = [];
  if (isHost) {
    const read = await readHostServers(context, { hosts: new Set([source]) });
    const [broken] = read.unreadable;
    if (broken !== undefined) {
      throw usageError(`${broken.file} cannot be used: ${broken.reason}`, { code: 'config' });
    }
    configurations.push(...read.configurations);
  } else {
    if (!existsSync(resolve(cwd, source))) {
      throw usageError(
        `"${source}" is no file, and no program whose files are known: those are ${hostNames.join(', ')}.${didYouMean(source, hostNames)}`,
        { code: 'config' },
      );
    }
    const beside = dirname(resolve(cwd, source));
    configurations.push(
      await readServersFile(context, source, {
        variablesFrom: beside,
        foreign: true,
        project: cwd,
      }),
    );
  }
  const found = new Map<string, unknown>();
  for (const { written } of configurations) {
    for (const [name, value] of written) {
      found.set(isHost ? name.slice(source.length + 1) : name, value);
    }
  }
  if (found.size > 0) return found;
  const where = configurations.map(({ path }) => shownPath(path, { cwd, env })).join(', ');
  throw usageError(where === '' ? `there is no file of ${source}` : `${where} has no servers`, {
    code: 'config',
  });
}

function refuseTaken(names: readonly string[], file: OwnFile): void {
  for (const name of names) {
    if (sanitizeLine(name) !== name) {
      throw usageError('a name is one line, without control characters', { code: 'config' });
    }
    if (hostOf(name) !== undefined) {
      throw usageError(
        `the name "${name}" would be one of another program's servers: write it without "${hostOf(name)}:"`,
        { code: 'config' },
      );
    }
    if (!file.names.includes(name)) continue;
    throw usageError(`${file.name} has a server "${name}": longwire servers remove ${name} first`, {
      code: 'config',
    });
  }
}

/**
 * Who writes a server by a command has seen it: it is allowed as it is, if it can be used already, and the
 * file says nothing else of it, as a profile may.
 */
async function allowWritten(
  context: Context,
  names: readonly string[],
  file: OwnFile,
): Promise<void> {
  if (context.options.configFile !== undefined) return;
  const configuration = await readConfiguration(context);
  const allowances = new Allowances(context);
  for (const name of names) {
    const config = configuration?.servers.get(name);
    if (configuration === undefined || config === undefined) continue;
    if (!isDeepStrictEqual(config.written, file.serverOf(name))) {
      context.terminal.remark(
        sanitizeLine(
          `A profile of ${file.name} changes ${name}, which is not allowed yet: longwire servers allow ${shellWord(name)}`,
        ),
      );
      continue;
    }
    try {
      allowances.allow(config, configuration);
    } catch (error) {
      // It is written, and can be named.
      context.terminal.remark(sanitizeLine((error as Error).message));
    }
  }
}

function tell(
  { terminal, options }: Context,
  file: OwnFile,
  { added = [], removed = [] }: { added?: readonly string[]; removed?: readonly string[] },
): void {
  if (options.json) return terminal.json({ file: file.name, added, removed });
  const what = added.length > 0 ? 'Added to' : 'Removed from';
  const names = [...added, ...removed].join(', ');
  terminal.remark(sanitizeLine(`${what} ${file.name}: ${names}`));
}
