import { dirname, resolve } from 'node:path';
import { LongwireError, type ConfigError } from '../errors.js';
import { nearest } from '../nearest.js';
import { readTextFile } from '../text-file.js';
import {
  memberOf,
  overlaid,
  parseDocument,
  valueOf,
  type Located,
  type LocatedObject,
  type Property,
  type PartProblem,
} from './document.js';
import {
  OTHERWISE_FOREIGN,
  foreignDirectory,
  foreignFormat,
  foreignRemark,
  foreignVariables,
  fromForeign,
  isLookedAt,
  isToml,
  switchedOffBy,
  type ForeignFormat,
} from './foreign.js';
import { inputsIn } from './inputs.js';
import { Problems } from './problems.js';
import { projectIn } from './claude-code.js';
import { isSwitchedOff } from './restrictions.js';
import { Mistakes } from './mistakes.js';
import { issuesOfFile, issuesOfForeign, readServer } from './schema.js';
import { readServerConfig } from './server.js';
import { parseToml } from './toml.js';
import type { Config } from './types.js';
import { checkOptionNames } from '../options/checks.js';

/** How a configuration is read. */
export interface ConfigOptions {
  /** The profile to lay over the servers. Default: none. */
  profile?: string | undefined;
  /** Where `${NAME}` looks. Default: `process.env`. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Where the path of the file starts. Default: the working directory of this process. */
  cwd?: string;
  /**
   * The directory that is worked in, for the file of another program: what `${workspaceFolder}` is, and
   * in Claude Code's own file (`.claude.json`) whose servers are laid over the user's. Default: where
   * the file is, and the user's alone.
   */
  project?: string;
  /**
   * Whether the file is known to be another program's, whatever it looks like. One without servers has
   * none. Default: what is in it decides.
   */
  foreign?: boolean;
  /** The answers to `${input:ID}` in a file of VS Code, by id. Default: none. */
  inputs?: Readonly<Record<string, string>>;
  /**
   * Called for a server that cannot be used, because of a mistake in it or a variable that is not
   * set. The server is skipped, and the others are read. Default: it is an error of the whole file.
   * What is wrong with the file itself is an error either way. `written` is what the file says of it.
   */
  onUnusable?: (name: string, error: ConfigError, written: unknown) => void;
}

const OPTION_NAMES: readonly (keyof ConfigOptions)[] = [
  'profile',
  'env',
  'cwd',
  'project',
  'foreign',
  'inputs',
  'onUnusable',
];

/**
 * Reads a `longwire.json`; or the file of another program, as it is: of Claude Desktop, Claude Code,
 * Cursor, Windsurf and others (`mcpServers`), VS Code (`servers` with `type` or `inputs`, or
 * `mcp.servers` in its settings), or Codex (a `.toml` with `mcp_servers`).
 *
 * @throws ConfigError that lists what is wrong, with file, line and column; LongwireError (code
 * `config`) for a file that cannot be read, or a profile that is not there.
 */
export function loadConfig(path: string, options: ConfigOptions = {}): Config {
  checkOptionNames(options, OPTION_NAMES);
  let text: string;
  try {
    text = readTextFile(resolve(options.cwd ?? '', path));
  } catch (cause) {
    throw configError(`could not read ${path}: ${(cause as Error).message}`, { cause });
  }
  return parseConfig(text, { ...options, file: path });
}

/**
 * Reads the text of a configuration, as {@link loadConfig} does. `file` is what it is called in
 * messages, and from whose directory paths in it start. Default `longwire.json`.
 *
 * @throws ConfigError, LongwireError as {@link loadConfig}.
 */
export function parseConfig(text: string, options: ConfigOptions & { file?: string } = {}): Config {
  const { file = 'longwire.json', env = process.env, cwd = '', profile, onUnusable } = options;
  const { project, foreign = false, inputs = {} } = options;
  checkOptionNames(options, [...OPTION_NAMES, 'file']);
  const path = resolve(cwd, file);
  // A byte order mark is no part of the first line.
  const source = { file, text: text.replace(/^\uFEFF/, '') };
  const found: PartProblem[] = [];
  const root = isToml(file)
    ? parseToml(source)
    : parseDocument(source, (problem) => found.push(problem));
  const format = foreignFormat(root, file, env) ?? (foreign ? OTHERWISE_FOREIGN : undefined);
  const problems = new Problems(source);
  const mistakes = new Mistakes(source, { profile, isLenient: onUnusable !== undefined });
  const directory = format === undefined ? dirname(path) : foreignDirectory(path);
  const predefined =
    format === undefined
      ? new Map<string, string>()
      : foreignVariables({ env, cwd, project: resolve(cwd, project ?? directory) });
  let members: ReadonlyMap<string, Property>;
  if (format === undefined) {
    mistakes.add(root, issuesOfFile(valueOf(root)), found);
    mistakes.ofFile.throwIfAny();
    members = withProfile(memberOf(root, 'servers')?.value as LocatedObject, root, {
      profile,
      file,
    });
  } else {
    const view = foreignServers(root, format, { problems, project, mayBeNone: foreign });
    const own = found.filter((problem) => isLookedAt(problem.path, format));
    members = withProfile(view, root, { profile, file });
    for (const [name, { value }] of members) {
      const issues = issuesOfForeign(valueOf(value)).map((issue) => {
        return { ...issue, path: ['servers', name, ...issue.path] };
      });
      mistakes.add(asFile(view), issues, []);
    }
    mistakes.add(
      root,
      [],
      own.map((problem) => withoutPrefix(problem, format)),
    );
    mistakes.ofFile.throwIfAny();
  }

  const isForeign = format !== undefined;
  const isSwitchedOffByFile = isForeign
    ? switchedOff([root, projectIn(root, project)], format, problems)
    : () => false;
  const servers: Config['servers'] = [];
  for (const [name, member] of members) {
    const own = mistakes.of(name) ?? new Problems(source);
    const server =
      own.error() === undefined
        ? readServerConfig(name, member, {
            source,
            problems: own,
            directory,
            env,
            predefined,
            ...(isForeign && { inputs }),
            isDisabled: (value) => {
              if (!isForeign) return disabledIn(value);
              return (
                isSwitchedOff(valueOf(value) as Record<string, unknown>) ||
                isSwitchedOffByFile(name)
              );
            },
            read: (value) => (isForeign ? fromForeign(value, directory) : readServer(value)),
          })
        : undefined;
    const error = own.error();
    if (error === undefined && server !== undefined) servers.push(server);
    else if (error !== undefined && onUnusable !== undefined)
      onUnusable(name, error, valueOf(member.value));
    else problems.include(own);
  }
  problems.throwIfAny();
  const written = new Map([...members].map(([name, { value }]) => [name, value]));
  const remark = isForeign ? foreignRemark(written) : undefined;
  const remarks = remark === undefined ? [] : [`${file}: ${remark}`];
  return {
    servers,
    foreign: isForeign,
    inputs: isForeign ? inputsIn(root, format.path) : [],
    remarks: [...remarks, ...mistakes.remarks()],
  };
}

function disabledIn(server: Located): boolean {
  const disabled = memberOf(server, 'disabled')?.value;
  return disabled?.kind === 'value' && disabled.value === true;
}

/** A list of servers that is not understood could mean any of them: the file is refused. */
function switchedOff(
  places: readonly (Located | undefined)[],
  format: ForeignFormat,
  problems: Problems,
): (name: string) => boolean {
  try {
    const lists = places.map((place) => place && switchedOffBy(place, format));
    return (name) => lists.some((isOff) => isOff?.(name));
  } catch (error) {
    problems.add(places[0]?.offset ?? 0, (error as Error).message);
    problems.throwIfAny();
    throw error;
  }
}

/** The servers, with the profile laid over them. */
function withProfile(
  base: LocatedObject,
  root: Located,
  { profile, file }: { profile: string | undefined; file: string },
): ReadonlyMap<string, Property> {
  if (profile === undefined) return base.members;
  const profiles = memberOf(root, 'profiles')?.value;
  const names = profiles?.kind === 'object' ? [...profiles.members.keys()] : [];
  const overlay = memberOf(memberOf(profiles, profile)?.value, 'servers')?.value;
  if (overlay === undefined) {
    const [near] = nearest(profile, names);
    const guess = near === undefined ? '' : `; did you mean ${JSON.stringify(near)}?`;
    const there = names.length === 0 ? 'it has none' : `there are ${names.join(', ')}`;
    throw configError(`${file} has no profile ${JSON.stringify(profile)}: ${there}${guess}`);
  }
  return (overlaid(base, overlay) as LocatedObject).members;
}

/** The servers of another program's file, written as ours read them. */
function foreignServers(
  root: Located,
  format: ForeignFormat,
  {
    problems,
    project,
    mayBeNone,
  }: { problems: Problems; project: string | undefined; mayBeNone: boolean },
): LocatedObject {
  let at: Located | undefined = root;
  for (const key of format.path) at = memberOf(at, key)?.value;
  const ofProject = memberOf(projectIn(root, project), 'mcpServers')?.value;
  if (at === undefined && (mayBeNone || memberOf(root, 'projects') !== undefined)) {
    at = { kind: 'object', offset: root.offset, members: new Map() };
  }
  if (at?.kind === 'object') {
    const own = ofProject?.kind === 'object' ? [...ofProject.members] : [];
    const members = [...at.members, ...own].map(
      ([name, { keyOffset, value }]): [string, Property] => [
        name,
        { keyOffset, value: format.adapt(value) },
      ],
    );
    return { ...at, members: new Map(members) };
  }
  const key = format.path.join('.');
  problems.add(at?.offset ?? 0, `"${key}": expected an object with the servers by name`);
  problems.throwIfAny();
  throw configError(`there is no ${key}`);
}

/** As if the servers stood in a `longwire.json`. */
function asFile(servers: LocatedObject): Located {
  const { offset } = servers;
  return {
    kind: 'object',
    offset,
    members: new Map([['servers', { keyOffset: offset, value: servers }]]),
  };
}

/** The same, with a path as it would be in a `longwire.json`. */
function withoutPrefix(problem: PartProblem, format: ForeignFormat): PartProblem {
  const { length } = format.path;
  const isOfServers = format.path.every((key, index) => problem.path[index] === key);
  return isOfServers ? { ...problem, path: ['servers', ...problem.path.slice(length)] } : problem;
}

function configError(message: string, options: { cause?: unknown } = {}): LongwireError {
  return new LongwireError(message, { code: 'config', certainty: 'not-sent', ...options });
}
