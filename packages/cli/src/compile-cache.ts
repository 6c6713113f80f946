import module from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Since Node 22.1. */
interface CompileCache {
  enableCompileCache?: (directory: string) => unknown;
}

/**
 * Keeps what Node compiles in the user's cache directory, so that the next command starts faster. Does
 * nothing on an older Node. Node has a switch for it: `NODE_DISABLE_COMPILE_CACHE=1`.
 */
export function enableCompileCache(env: Readonly<Record<string, string | undefined>>): void {
  (module as CompileCache).enableCompileCache?.(join(userCache(env), 'longwire', 'compiled'));
}

function userCache(env: Readonly<Record<string, string | undefined>>): string {
  if (process.platform === 'win32') {
    return env['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local');
  }
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches');
  return env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
}
