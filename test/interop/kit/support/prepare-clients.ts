import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { prepare, type Prepared } from '../../../support/user-cache.ts';
import { clients } from './run-client.ts';

const FILES = ['package.json', 'package-lock.json'];

/** Clients of npm, and the Node that the newest of them need: installed once, for the user. */
export async function prepareClients(): Promise<Prepared> {
  return prepare({
    name: 'kit-clients',
    sources: await readFile(join(clients, 'package-lock.json'), 'utf8'),
    needs: [['npm', '--version']],
    make: async (directory, run) => {
      for (const file of FILES) await copyFile(join(clients, file), join(directory, file));
      const quietly = ['--no-audit', '--no-fund', '--loglevel=error'];
      // `npm ci` refuses a lock file without every optional package, and registries do not carry all.
      await run('npm', ['install', ...quietly], { cwd: directory });
    },
  });
}

/** The Node in there. */
export function nodeOf(directory: string): string {
  return join(directory, 'node_modules/node/bin/node');
}
