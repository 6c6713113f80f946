import { join } from 'node:path';

/**
 * Where the command keeps what is the user's own and may be lost, such as a history;
 * `undefined` where nothing says whose it is. The directory may not be there yet.
 */
export function stateDirectory(
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform = process.platform,
): string | undefined {
  const { XDG_STATE_HOME: state, HOME: home, LOCALAPPDATA: local } = env;
  // https://specifications.freedesktop.org/basedir-spec/latest/ : a relative path is ignored.
  if (state?.startsWith('/') === true) return join(state, 'longwire');
  if (platform === 'win32') return local ? join(local, 'longwire') : undefined;
  return home ? join(home, '.local', 'state', 'longwire') : undefined;
}
