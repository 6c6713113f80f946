import { basename, dirname, extname, resolve, sep } from 'node:path';
import { parseEnv } from 'node:util';
import { nameList } from '../nearest.js';
import { readTextFile } from '../text-file.js';
import { fromCodex } from './codex.js';
import { memberOf, valueOf, type Located } from './document.js';
import { fromGemini, literal } from './texts.js';
import { fromOpencode, opencodePath } from './opencode.js';
import { isLoosening, isRestriction, readRestrictions } from './restrictions.js';
import { FOREIGN_KEYS, readForeignServer, type WrittenServer } from './schema.js';
import { fromZed } from './zed.js';

/** How another program writes its servers. */
export interface ForeignFormat {
  /** Where in the file they are. */
  path: readonly string[];
  /** What a server is as Claude Code, Cursor and VS Code write it. */
  adapt: (server: Located) => Located;
}

/** Of a file that is another program's and says nothing of whose: that of VS Code. */
export const OTHERWISE_FOREIGN: ForeignFormat = {
  path: ['servers'],
  adapt: (server) => server,
};

/** Whether a file is read as TOML. */
export function isToml(file: string): boolean {
  return extname(file).toLowerCase() === '.toml';
}

/**
 * The format of a file of another program; `undefined` for a `longwire.json`.
 *
 * In Claude Desktop's own file no text is a variable.
 */
export function foreignFormat(
  root: Located,
  file: string,
  env: Readonly<Record<string, string | undefined>>,
): ForeignFormat | undefined {
  const asIs = (server: Located): Located => server;
  if (isToml(file)) return { path: ['mcp_servers'], adapt: (server) => fromCodex(server, env) };
  const name = basename(file);
  if (memberOf(root, 'mcpServers') !== undefined || name === '.claude.json') {
    const isLiteral = name.toLowerCase() === 'claude_desktop_config.json';
    const isGemini = basename(dirname(file)) === '.gemini';
    return { path: ['mcpServers'], adapt: isLiteral ? literal : isGemini ? fromGemini : asIs };
  }
  if (name === 'longwire.json') return undefined;
  if (memberOf(root, 'context_servers') !== undefined) {
    return { path: ['context_servers'], adapt: fromZed };
  }
  const opencode = opencodePath(root, name);
  if (opencode !== undefined) return { path: opencode, adapt: fromOpencode };
  if (memberOf(root, 'profiles') !== undefined) return undefined;
  // In the settings of VS Code a key may be written in parts, or whole.
  if (memberOf(root, 'mcp.servers') !== undefined) return { path: ['mcp.servers'], adapt: asIs };
  if (memberOf(memberOf(root, 'mcp')?.value, 'servers') !== undefined) {
    return { path: ['mcp', 'servers'], adapt: asIs };
  }
  const servers = memberOf(root, 'servers')?.value;
  const isTyped =
    servers?.kind === 'object' &&
    [...servers.members.values()].some(({ value }) => memberOf(value, 'type') !== undefined);
  const isForeign = isTyped || memberOf(root, 'inputs') !== undefined;
  return isForeign ? { path: ['servers'], adapt: asIs } : undefined;
}

/** From where paths in the file of another program start. */
export function foreignDirectory(path: string): string {
  const directory = dirname(path);
  const isSettings = /^\.(vscode|cursor|gemini|codex|zed)$/.test(basename(directory));
  return isSettings ? dirname(directory) : directory;
}

/**
 * What VS Code and Cursor define beside the environment. `cwd` is the working directory, `project` what
 * is worked in.
 */
export function foreignVariables({
  env,
  cwd,
  project,
}: {
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  project: string;
}): ReadonlyMap<string, string> {
  const home = env['HOME'] ?? env['USERPROFILE'];
  return new Map([
    ['workspaceFolder', project],
    ['workspaceFolderBasename', basename(project)],
    ['cwd', resolve(cwd)],
    ['pathSeparator', sep],
    ['/', sep],
    ...(home === undefined ? [] : [['userHome', home] as const]),
  ]);
}

/** The first keys of what restricts the servers of a file as a whole. */
const LISTS: readonly string[] = [
  'mcp',
  'allowMCPServers',
  'excludeMCPServers',
  'disabledMcpServers',
  'disabledMcpjsonServers',
];

/** Whether a part of a file is read; the rest belongs to the other program. */
export function isLookedAt(path: readonly PropertyKey[], format: ForeignFormat): boolean {
  const [first] = path;
  return first === format.path[0] || LISTS.includes(String(first));
}

/** What the file as a whole says of which servers may be used. */
interface ServerLists {
  allowed: readonly string[] | undefined;
  denied: readonly string[];
}

/**
 * Which servers the file as a whole switches off: Gemini's `mcp.allowed` and `mcp.excluded`,
 * formerly `allowMCPServers` and `excludeMCPServers`, and Claude Code's `disabledMcpServers` and
 * `disabledMcpjsonServers`.
 *
 * @throws Error for a list that cannot be understood: it must not be lost.
 */
export function switchedOffBy(root: Located, format: ForeignFormat): (name: string) => boolean {
  const listAt = (...path: string[]): readonly string[] | undefined => {
    let at: Located | undefined = root;
    for (const key of path) at = memberOf(at, key)?.value;
    const list = at === undefined ? null : valueOf(at);
    if (list === null) return undefined;
    if (Array.isArray(list) && list.every((each) => typeof each === 'string')) return list;
    throw new Error(
      `"${path.join('.')}" restricts the servers, and is not understood: expected a list of their names`,
    );
  };
  // Where the servers are below `mcp`, a server may have that name.
  const isGemini = format.path[0] !== 'mcp';
  const lists: ServerLists = {
    allowed: (isGemini ? listAt('mcp', 'allowed') : undefined) ?? listAt('allowMCPServers'),
    denied: [
      ...(isGemini ? [['mcp', 'excluded']] : []),
      ['excludeMCPServers'],
      ['disabledMcpServers'],
      ['disabledMcpjsonServers'],
    ].flatMap((path) => listAt(...path) ?? []),
  };
  return (name) => lists.allowed?.includes(name) === false || lists.denied.includes(name);
}

/** What describes a server and changes nothing. */
const descriptions: readonly string[] = [
  '$schema',
  'name',
  'title',
  'description',
  'icon',
  'icons',
];

/** A longer list would not be read. */
const maxNamed = 20;

/** What of another program's servers has no effect here, as one remark. */
export function foreignRemark(servers: ReadonlyMap<string, Located>): string | undefined {
  const ignored = new Map<string, string[]>();
  for (const [name, server] of servers) {
    if (server.kind !== 'object') continue;
    for (const key of server.members.keys()) {
      if (FOREIGN_KEYS.includes(key) || descriptions.includes(key) || isRestriction(key)) continue;
      const names = ignored.get(key);
      if (names === undefined) ignored.set(key, [name]);
      else names.push(name);
    }
  }
  if (ignored.size === 0) return undefined;
  const named = [...ignored].slice(0, maxNamed).map(([key, names]) => {
    const why = isLoosening(key) ? ', which lets no call through unasked here' : '';
    return `"${key}" of ${nameList(names)}${why}`;
  });
  const more = ignored.size - named.length;
  return `not used here: ${named.join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}

/**
 * A server of another program as one of ours. Its `type` is ignored, but for `stdio`: many files say
 * `sse` of servers that no longer speak it, and the transport is detected anyway.
 *
 * Paths start from `directory`.
 *
 * @throws Error for an `envFile` that cannot be read, and for a restriction that cannot be
 * understood.
 */
export function fromForeign(value: unknown, directory: string): WrittenServer {
  const { type, command, args, cwd, headers, ...server } = readForeignServer(value);
  // Gemini takes `httpUrl` before `url`.
  const url = server.httpUrl ?? server.url ?? server.serverUrl;
  const { tools } = readRestrictions(value as Record<string, unknown>);
  const isRestricted = Object.keys(tools).length > 0;
  if (url !== undefined && type !== 'stdio') {
    return { url, ...(headers !== undefined && { headers }), ...(isRestricted && { tools }) };
  }
  const written = Object.entries(server.env ?? {}).filter(([, each]) => each !== null);
  const { envFile } = server;
  const env = {
    ...(envFile !== undefined && readEnvFile(resolve(directory, envFile), envFile)),
    ...Object.fromEntries(written.map(([name, each]) => [name, String(each)])),
  } as Record<string, string>;
  return {
    env,
    ...(command !== undefined && { command }),
    ...(args !== undefined && { args }),
    ...(cwd !== undefined && { cwd }),
    ...(isRestricted && { tools }),
  };
}

function readEnvFile(path: string, shown: string): NodeJS.Dict<string> {
  try {
    return parseEnv(readTextFile(path));
  } catch (cause) {
    throw new Error(`could not read ${shown}: ${(cause as Error).message}`, { cause });
  }
}
