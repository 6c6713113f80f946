import { basename, dirname, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { nameList } from '../nearest.js';
import { readTextFile } from '../text-file.js';
import { memberOf, valueOf, type Located } from './document.js';
import { isLoosening, isRestriction, readRestrictions } from './restrictions.js';
import { FOREIGN_KEYS, readForeignServer, type WrittenServer } from './schema.js';

/** Under which key a file of another program has its servers; `undefined` for a `longwire.json`. */
export function foreignKey(root: Located, file: string): 'mcpServers' | 'servers' | undefined {
  if (memberOf(root, 'mcpServers') !== undefined) return 'mcpServers';
  if (basename(file) === 'longwire.json' || memberOf(root, 'profiles') !== undefined)
    return undefined;
  const servers = memberOf(root, 'servers')?.value;
  const isTyped =
    servers?.kind === 'object' &&
    [...servers.members.values()].some(({ value }) => memberOf(value, 'type') !== undefined);
  return isTyped || memberOf(root, 'inputs') !== undefined ? 'servers' : undefined;
}

/** What VS Code and Cursor define beside the environment. */
export function foreignVariables(
  path: string,
  env: Readonly<Record<string, string | undefined>>,
): ReadonlyMap<string, string> {
  const directory = dirname(path);
  const isSettings = /^\.(vscode|cursor)$/.test(basename(directory));
  const home = env['HOME'] ?? env['USERPROFILE'];
  const workspace = isSettings ? dirname(directory) : directory;
  return new Map([
    ['workspaceFolder', workspace],
    ...(home === undefined ? [] : [['userHome', home] as const]),
  ]);
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
export function switchedOffBy(root: Located): (name: string) => boolean {
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
  const lists: ServerLists = {
    allowed: listAt('mcp', 'allowed') ?? listAt('allowMCPServers'),
    denied: [
      ['mcp', 'excluded'],
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

/** More than these nobody reads. */
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
 * A server of another program as one of ours. Its `type` is not taken for granted: people write
 * `sse` for what no longer speaks it, and how a server talks is found out anyway.
 *
 * Paths start from `directory`.
 *
 * @throws Error for an `envFile` that cannot be read, and for a restriction that cannot be
 * understood.
 */
export function fromForeign(value: unknown, directory: string): WrittenServer {
  const { type, url, command, args, cwd, headers, ...server } = readForeignServer(value);
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
