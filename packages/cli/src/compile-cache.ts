import module from 'node:module';
import { join } from 'node:path';
import { userFolder } from './user-folders.js';

/** Since Node 22.1. */
interface CompileCache {
  enableCompileCache?: (directory: string) => unknown;
}

/**
 * Keeps what Node compiles in the user's cache directory, so that the next command starts faster. Does
 * nothing on an older Node. Node has a switch for it: `NODE_DISABLE_COMPILE_CACHE=1`.
 */
export function enableCompileCache(env: Readonly<Record<string, string | undefined>>): void {
  (module as CompileCache).enableCompileCache?.(join(userFolder('cache', env), 'compiled'));
}
