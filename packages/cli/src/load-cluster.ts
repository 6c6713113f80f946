import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { usageError } from './command-error.js';
import type { Context } from './context.js';

const NAME = '@longwire/cluster';

/** The package, as far as this command uses it. */
export type ClusterPackage = typeof import('@longwire/cluster');

/**
 * Loads what makes nodes of processes. It is not inside the command: whoever wants a cluster installs it,
 * beside the command or in the working folder.
 *
 * @param what wants it: `serve --cluster`
 * @throws LongwireError (usage) where it is not installed.
 */
export async function loadCluster(
  { cwd }: Pick<Context, 'cwd'>,
  what: string,
): Promise<ClusterPackage> {
  for (const beside of [import.meta.url, pathToFileURL(join(cwd, 'longwire.json')).href]) {
    let path: string;
    try {
      path = createRequire(beside).resolve(NAME);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'MODULE_NOT_FOUND') continue;
      throw error;
    }
    return (await import(pathToFileURL(path).href)) as ClusterPackage;
  }
  throw usageError(`${what} needs ${NAME}: install it with npm install ${NAME}`);
}
