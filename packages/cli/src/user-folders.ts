import { homedir } from 'node:os';
import { join } from 'node:path';

/** What is kept: what can be made again, what is remembered of use, what the user has set. */
type Kind = 'cache' | 'state' | 'config';

/** As the XDG base directory specification has it. https://specifications.freedesktop.org/basedir-spec/latest/ */
const xdg = {
  cache: ['XDG_CACHE_HOME', '.cache'],
  state: ['XDG_STATE_HOME', join('.local', 'state')],
  config: ['XDG_CONFIG_HOME', '.config'],
} as const;

/**
 * The user's folder of this command, which may not exist: below the cache, state or configuration
 * directory that the system, or the environment, has for it.
 */
export function userFolder(
  kind: Kind,
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform = process.platform,
): string {
  const home = env['HOME'] || homedir();
  if (platform === 'win32') {
    const [name, otherwise] =
      kind === 'config' ? (['APPDATA', 'Roaming'] as const) : (['LOCALAPPDATA', 'Local'] as const);
    return join(env[name] || join(homedir(), 'AppData', otherwise), 'longwire');
  }
  const [name, otherwise] = xdg[kind];
  const isMac = platform === 'darwin';
  const below = isMac
    ? join('Library', kind === 'cache' ? 'Caches' : 'Application Support')
    : otherwise;
  return join(env[name] || join(home, below), 'longwire');
}
