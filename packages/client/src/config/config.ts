import { dirname, resolve } from 'node:path';
import { checkOptionNames } from '../connection/options.js';
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
  type Member,
} from './document.js';
import {
  foreignKey,
  foreignRemark,
  foreignVariables,
  fromForeign,
  switchedOffBy,
} from './foreign.js';
import { addIssues } from './issues.js';
import { Problems } from './problems.js';
import { isSwitchedOff } from './restrictions.js';
import { issuesOfFile, issuesOfForeign, readServer } from './schema.js';
import { readServerConfig } from './server.js';
import type { Config } from './types.js';

/** How a configuration is read. */
export interface ConfigOptions {
  /** The profile to lay over the servers. Default: none. */
  profile?: string | undefined;
  /** Where `${NAME}` looks. Default: `process.env`. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Where the path of the file starts. Default: the working directory of this process. */
  cwd?: string;
  /**
   * Told of a server that cannot be used as it stands, because a variable is not set, say; it is
   * left out then. Default: that is an error of the whole. What is no configuration at all, a
   * misspelt key included, is an error either way.
   */
  onUnusable?: (name: string, error: ConfigError) => void;
}

const OPTION_NAMES: readonly (keyof ConfigOptions)[] = ['profile', 'env', 'cwd', 'onUnusable'];

/**
 * Reads a `longwire.json`; or the file of Claude Desktop, Claude Code, Cursor (`mcpServers`) or VS
 * Code (`servers`, with `type` or `inputs`), as it is.
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
  checkOptionNames(options, [...OPTION_NAMES, 'file']);
  const path = resolve(cwd, file);
  // A byte order mark is no part of the first line.
  const source = { file, text: text.replace(/^\uFEFF/, '') };
  const root = parseDocument(source);
  const key = foreignKey(root, file);
  const problems = new Problems(source);
  if (key === undefined) addIssues(root, issuesOfFile(valueOf(root)), problems);
  else addForeignIssues(root, key, problems);
  problems.throwIfAny();

  const predefined = key === undefined ? new Map<string, string>() : foreignVariables(path, env);
  const isForeign = key !== undefined;
  const isSwitchedOffByFile = isForeign ? switchedOff(root, problems) : () => false;
  const servers: Config['servers'] = [];
  const members = serversOf(root, { key, profile, file });
  for (const [name, member] of members) {
    const own = new Problems(source);
    const directory = predefined.get('workspaceFolder') ?? dirname(path);
    const server = readServerConfig(name, member, {
      source,
      problems: own,
      directory,
      env,
      predefined,
      isDisabled: (value) => {
        if (!isForeign) return disabledIn(value);
        return (
          isSwitchedOff(valueOf(value) as Record<string, unknown>) || isSwitchedOffByFile(name)
        );
      },
      read: (value) => (isForeign ? fromForeign(value, directory) : readServer(value)),
    });
    const error = own.error();
    if (error === undefined && server !== undefined) servers.push(server);
    else if (error !== undefined && onUnusable !== undefined) onUnusable(name, error);
    else problems.include(own);
  }
  problems.throwIfAny();
  const written = new Map([...members].map(([name, { value }]) => [name, value]));
  const remark = isForeign ? foreignRemark(written) : undefined;
  return { servers, remarks: remark === undefined ? [] : [`${file}: ${remark}`] };
}

function disabledIn(server: Located): boolean {
  const disabled = memberOf(server, 'disabled')?.value;
  return disabled?.kind === 'value' && disabled.value === true;
}

/** A list of servers that is not understood could mean each of them: the file is refused. */
function switchedOff(root: Located, problems: Problems): (name: string) => boolean {
  try {
    return switchedOffBy(root);
  } catch (error) {
    problems.add(root.offset, (error as Error).message);
    problems.throwIfAny();
    throw error;
  }
}

/** The servers, with the profile laid over them. */
function serversOf(
  root: Located,
  options: { key: 'mcpServers' | 'servers' | undefined; profile: string | undefined; file: string },
): ReadonlyMap<string, Member> {
  const { key = 'servers', profile, file } = options;
  const base = memberOf(root, key)?.value as LocatedObject;
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

/** What is none of ours is not looked at. */
function addForeignIssues(root: Located, key: 'mcpServers' | 'servers', problems: Problems): void {
  const servers = memberOf(root, key)?.value;
  if (servers?.kind !== 'object') {
    problems.add(servers?.offset ?? 0, `"${key}": expected an object with the servers by name`);
    return;
  }
  for (const [name, { value }] of servers.members) {
    const issues = issuesOfForeign(valueOf(value));
    const located = issues.map((issue) => ({ ...issue, path: [key, name, ...issue.path] }));
    addIssues(root, located, problems);
  }
}

function configError(message: string, options: { cause?: unknown } = {}): LongwireError {
  return new LongwireError(message, { code: 'config', certainty: 'not-sent', ...options });
}
