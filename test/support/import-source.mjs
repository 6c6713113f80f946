/** Imports a TypeScript source where Node runs by itself: in benchmarks, and in processes of tests. */
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** @param {string} path of the file, from the root of the repository */
export async function importSource(path) {
  const bundle = await rolldown({
    input: join(root, path),
    platform: 'node',
    external: /^[^./]/,
    resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
    tsconfig: false,
  });
  const name = `${basename(path, '.ts')}-${process.pid}.mjs`;
  const file = join(root, 'node_modules/.cache/longwire-sources', name);
  await bundle.write({ file, format: 'esm', codeSplitting: false });
  await bundle.close();
  return await import(pathToFileURL(file).href);
}
