import { join, resolve } from 'node:path';

/** A file in which another program keeps its servers. */
export interface HostFile {
  /**
   * What its servers are called before the colon: the program (`cursor`), with a dot before it where
   * the file is in the working directory (`.cursor`). So no file of a repository takes the name of a
   * server of the user's own.
   */
  host: string;
  path: string;
}

/** Where the files are. */
export interface HostPlaces {
  cwd: string;
  env: Readonly<Record<string, string | undefined>>;
  /** Default: of this process. */
  platform?: NodeJS.Platform;
}

/** Files of a project, by what their servers are called. */
const filesHere: Readonly<Record<string, readonly string[]>> = {
  '.mcp': ['.mcp.json'],
  '.cursor': ['.cursor/mcp.json'],
  '.vscode': ['.vscode/mcp.json'],
  '.gemini': ['.gemini/settings.json'],
  '.codex': ['.codex/config.toml'],
  '.opencode': [
    'opencode.json',
    'opencode.jsonc',
    '.opencode/opencode.json',
    '.opencode/opencode.jsonc',
  ],
  '.zed': ['.zed/settings.json'],
};

/** The names of the programs whose files at home are looked for. */
const hostsAtHome = [
  'claude-desktop',
  'claude-code',
  'cursor',
  'vscode',
  'vscode-insiders',
  'vscodium',
  'windsurf',
  'codex',
  'gemini',
  'opencode',
  'zed',
] as const;

type HostAtHome = (typeof hostsAtHome)[number];

/** The home of a person, by the environment alone. */
export function homeIn(env: HostPlaces['env']): string | undefined {
  return env['HOME'] || env['USERPROFILE'] || undefined;
}

/** What may stand before the colon. */
export const hostNames: readonly string[] = [...Object.keys(filesHere), ...hostsAtHome];

/** The program before the colon of a name; `undefined` where there is none that is known. */
export function hostOf(name: string): string | undefined {
  const [host = ''] = name.split(':', 1);
  return host.length < name.length && hostNames.includes(host) ? host : undefined;
}

/** Every file that may be there, those of the working directory first. */
export function hostFiles(places: HostPlaces): HostFile[] {
  const { cwd, env } = places;
  const here = Object.entries(filesHere).flatMap(([host, paths]) =>
    paths.map((path) => ({ host, path: join(cwd, path) })),
  );
  const home = homeIn(env);
  if (home === undefined) return here;
  const atHome = hostsAtHome.flatMap((host) =>
    pathsAtHome(host, home, places).map((path) => ({ host, path: resolve(home, path) })),
  );
  // Where somebody works at home, a file is their own.
  const own = new Set(atHome.map(({ path }) => path));
  return [...here.filter(({ path }) => !own.has(resolve(path))), ...atHome];
}

/** The paths of a program, from home. */
function pathsAtHome(
  host: HostAtHome,
  home: string,
  { env, platform = process.platform }: HostPlaces,
): string[] {
  const config = env['XDG_CONFIG_HOME'] || join(home, '.config');
  const roaming = env['APPDATA'] || join(home, 'AppData', 'Roaming');
  /** Where programs with a window keep what is theirs. */
  const applications =
    platform === 'darwin'
      ? join(home, 'Library', 'Application Support')
      : platform === 'win32'
        ? roaming
        : config;
  const ofCode = (name: string): string[] =>
    ['mcp.json', 'settings.json'].map((file) => join(applications, name, 'User', file));
  switch (host) {
    case 'claude-desktop':
      return [join(applications, 'Claude', 'claude_desktop_config.json')];
    case 'claude-code':
      return [join(env['CLAUDE_CONFIG_DIR'] || home, '.claude.json')];
    case 'cursor':
      return ['.cursor/mcp.json'];
    case 'vscode':
      return ofCode('Code');
    case 'vscode-insiders':
      return ofCode('Code - Insiders');
    case 'vscodium':
      return ofCode('VSCodium');
    case 'windsurf':
      return ['.codeium/windsurf/mcp_config.json'];
    case 'codex':
      return [join(env['CODEX_HOME'] || join(home, '.codex'), 'config.toml')];
    case 'gemini':
      return ['.gemini/settings.json'];
    case 'opencode':
      return [
        ...(env['OPENCODE_CONFIG'] ? [env['OPENCODE_CONFIG']] : []),
        join(config, 'opencode', 'opencode.json'),
        join(config, 'opencode', 'opencode.jsonc'),
        join(config, 'opencode', 'config.json'),
      ];
    case 'zed':
      return [
        platform === 'win32'
          ? join(roaming, 'Zed', 'settings.json')
          : join(platform === 'darwin' ? join(home, '.config') : config, 'zed', 'settings.json'),
      ];
  }
}
