import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

/**
 * Makes a file of a program in TypeScript, with the sources that it imports, to be run as a process.
 *
 * @returns its path, and what removes it.
 */
export async function bundle(program: URL): Promise<{ path: string; remove(): Promise<void> }> {
  // Below the packages that the program imports.
  const cache = fileURLToPath(new URL('../../../../node_modules/.cache/', import.meta.url));
  await mkdir(cache, { recursive: true });
  const directory = await mkdtemp(join(cache, 'program-'));
  const path = join(directory, 'program.mjs');
  const bundled = await rolldown({
    input: fileURLToPath(program),
    platform: 'node',
    external: /^[^./]/,
  });
  await bundled.write({ file: path });
  await bundled.close();
  return { path, remove: () => rm(directory, { recursive: true }) };
}
