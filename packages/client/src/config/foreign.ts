import { readFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { memberOf, type Located } from './document.js';
import type { ForeignServer, WrittenServer } from './schema.js';

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

/**
 * A server of another program as one of ours. Its `type` is not taken for granted: people write
 * `sse` for what no longer speaks it, and how a server talks is found out anyway.
 *
 * Paths start from `directory`.
 *
 * @throws Error of the file system for an `envFile` that cannot be read.
 */
export function fromForeign(server: ForeignServer, directory: string): WrittenServer {
  const { type, url, command, args, cwd, headers, disabled = false, envFile } = server;
  if (url !== undefined && type !== 'stdio') {
    return { url, disabled, ...(headers !== undefined && { headers }) };
  }
  const written = Object.entries(server.env ?? {}).filter(([, value]) => value !== null);
  const env = {
    ...(envFile !== undefined && parseEnv(readFileSync(resolve(directory, envFile), 'utf8'))),
    ...Object.fromEntries(written.map(([name, value]) => [name, String(value)])),
  } as Record<string, string>;
  return {
    env,
    disabled,
    ...(command !== undefined && { command }),
    ...(args !== undefined && { args }),
    ...(cwd !== undefined && { cwd }),
  };
}
