/**
 * Builds the page, `packages/dashboard/dist`, with the licences of what is in it. Does nothing where no source is newer than what is there.
 * With `--clean` it removes what it made.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { licencesOf } from './licences.mjs';
import { writtenAt } from './written-at.mjs';

const packages = fileURLToPath(new URL('../packages/', import.meta.url));
const root = join(packages, 'dashboard');
const inputs = [
  ...['src', 'index.html', 'package.json', 'vite.config.ts'].map((name) => join(root, name)),
  join(packages, 'recording', 'src'),
  fileURLToPath(import.meta.url),
  fileURLToPath(new URL('../package-lock.json', import.meta.url)),
];
const builtAt = writtenAt(join(root, 'dist', 'index.html'));

if (process.argv.includes('--clean')) {
  rmSync(join(root, 'dist'), { recursive: true, force: true });
} else if (builtAt <= Math.max(...inputs.map(writtenAt))) {
  // The workspace has another version of it, which the tests run on.
  const vite = createRequire(join(root, 'package.json')).resolve('vite');
  const { build } = await import(pathToFileURL(vite).href);
  /** @type {import('rolldown').RolldownOutput} */
  const { output } = await build({ root, logLevel: 'warn' });
  const modules = output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []));
  writeFileSync(join(root, 'dist', 'third-party-licences.txt'), licencesOf(modules));
}
