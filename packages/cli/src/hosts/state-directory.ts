import { join } from 'node:path';
import { homeIn, type HostPlaces } from './host-files.js';

/** Where what is remembered of a user is kept; `undefined` where the environment names no home. */
export function stateDirectory({
  env,
  platform = process.platform,
}: Omit<HostPlaces, 'cwd'>): string | undefined {
  const named = env['XDG_STATE_HOME'];
  if (named) return join(named, 'longwire');
  const home = homeIn(env);
  if (home === undefined) return undefined;
  if (platform === 'win32') {
    return join(env['LOCALAPPDATA'] || join(home, 'AppData', 'Local'), 'longwire');
  }
  return join(home, '.local', 'state', 'longwire');
}
