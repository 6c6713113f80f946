import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** Runs in the process that is looked at: says which files are imported, then which are required. */
const HOOK = `
import { writeSync } from 'node:fs';
export async function resolve(specifier, context, next) {
  const found = await next(specifier, context);
  if (found.url.startsWith('file:')) writeSync(2, 'loaded ' + found.url + '\\n');
  return found;
}
`;
const PRELOAD = `
import { createRequire, register } from 'node:module';
import { pathToFileURL } from 'node:url';
register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(HOOK)}));
const { cache } = createRequire('file:///');
process.on('exit', () => {
  for (const file of Object.keys(cache)) console.error('loaded ' + pathToFileURL(file).href);
});
`;

/**
 * Runs Node with these arguments in a directory.
 *
 * @returns the files that it loads, except those of Node.
 */
export async function loadedModules(
  args: readonly string[],
  cwd: string,
): Promise<ReadonlySet<string>> {
  const preload = `data:text/javascript,${encodeURIComponent(PRELOAD)}`;
  const { stderr } = await promisify(execFile)(process.execPath, ['--import', preload, ...args], {
    cwd,
    maxBuffer: 32 * 1024 * 1024,
  });
  const urls = stderr.split('\n').filter((line) => line.startsWith('loaded '));
  return new Set(urls.map((line) => fileURLToPath(line.slice('loaded '.length))));
}
