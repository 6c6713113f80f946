/**
 * Makes what is published of each package, beside the types that the compiler has written: one file
 * for each entry and shared chunks. A library imports what it depends on; the command has it inside,
 * with the licences of it. Does nothing where no source is newer than what is there. With `--clean` it
 * removes what it made.
 */
import { chmodSync, cpSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { licencesOf } from './licences.mjs';
import { PACKAGES, SOURCES } from './entries.mjs';
import { writtenAt } from './written-at.mjs';

/** @typedef {import('./entries.mjs').WorkspacePackage} WorkspacePackage */

const COMMAND = 'longwire';
/** The oldest Node that is supported. */
const TARGET = 'node20.19';
const STAMP = '.bundled';
/** The page that the command serves, if its build has made it. */
const PAGE = fileURLToPath(new URL('../packages/dashboard/dist', import.meta.url));

/** What the command has in place of what takes long to load, by the module that imports name. */
const INSIDE = {
  // Its main file is UMD, which no bundler can follow.
  'jsonc-parser': 'jsonc-parser/lib/esm/main.js',
  undici: inside('undici.mjs'),
  '@modelcontextprotocol/client/validators/ajv': inside('ajv.mjs'),
  '@modelcontextprotocol/client/_shims': inside('sdk-shims.mjs'),
};

/** Loading HTTP/2, which undici does not speak unless it is told to, takes longer than a call. */
const WITHOUT_HTTP2 = {
  name: 'without-http2',
  resolveId: {
    filter: { id: /^\.\/client-h2\.js$/ },
    handler: () => inside('no-http2.cjs'),
  },
};

/**
 * Modules which, with all that they import, are one file: it is read faster than twenty. What comes
 * first takes precedence.
 */
const FILES = {
  client: [{ name: 'client', test: /[\\/]client[\\/]src[\\/]index\.ts$/, priority: 1 }],
  command: [
    // What `--version` needs stays out of the rest.
    { name: 'version', test: /[\\/](?:version|compile-cache|user-folders)\.ts$/, priority: 2 },
    { name: 'core', test: /[\\/]cli[\\/]src[\\/](?:main|session|look-at)\.ts$/, priority: 1 },
  ],
};

if (process.argv.includes('--clean')) {
  for (const it of PACKAGES) removeBundle(it);
} else if (!isUpToDate()) {
  for (const it of PACKAGES) removeBundle(it);
  await Promise.all(
    PACKAGES.map((it) => (it.manifest.name === COMMAND ? command(it) : library(it))),
  );
  for (const { directory } of PACKAGES) writeFileSync(join(directory, 'dist', STAMP), '');
}

/** @param {string} name */
function inside(name) {
  return fileURLToPath(new URL(`./inside/${name}`, import.meta.url));
}

function isUpToDate() {
  const inputs = [
    fileURLToPath(new URL('.', import.meta.url)),
    fileURLToPath(new URL('../package-lock.json', import.meta.url)),
    PAGE,
    ...PACKAGES.flatMap(({ directory }) => [
      join(directory, 'src'),
      join(directory, 'package.json'),
    ]),
  ];
  const builtAt = PACKAGES.map(({ directory }) => writtenAt(join(directory, 'dist', STAMP)));
  return Math.min(...builtAt) > Math.max(...inputs.map(writtenAt));
}

/** Removes all but the types, which the compiler keeps. @param {WorkspacePackage} bundled */
function removeBundle({ directory, manifest }) {
  const dist = join(directory, 'dist');
  if (!existsSync(dist)) return;
  if (manifest.name === COMMAND) rmSync(join(dist, 'page'), { recursive: true, force: true });
  for (const path of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    if (/\.(?:c?js|js\.map|txt)$|^\.bundled$/.test(path)) rmSync(join(dist, path));
  }
}

/** @param {WorkspacePackage} bundled */
async function library({ directory, manifest, entries }) {
  const { dependencies = {}, peerDependencies = {} } = manifest;
  const others = Object.keys({ ...dependencies, ...peerDependencies });
  await write({
    input: Object.fromEntries(entries.map(({ name, source }) => [name, source])),
    external: (id) => others.some((name) => id === name || id.startsWith(`${name}/`)),
    dir: join(directory, 'dist'),
    files: FILES.client,
    sourcemap: true,
  });
}

/** @param {WorkspacePackage} bundled */
async function command({ directory, manifest, entries }) {
  const dist = join(directory, 'dist');
  const { peerDependencies = {}, optionalDependencies = {}, imports = {} } = manifest;
  const threads = Object.entries(imports).map(([specifier, built]) => {
    const [, name = ''] = /^\.\/dist\/(.*)\.cjs$/.exec(built) ?? [];
    return [name, importedByThreads(specifier)];
  });
  const modules = [
    ...(await write({
      input: Object.fromEntries(entries.map(({ name, source }) => [name, source])),
      // Of the server kit only types are imported: whoever mounts the page has it.
      external: Object.keys({ ...peerDependencies, ...optionalDependencies }).filter(
        (name) => !SOURCES.has(name),
      ),
      dir: dist,
      alias: { ...Object.fromEntries(SOURCES), ...INSIDE },
      files: FILES.command,
    })),
    ...(await write({ input: Object.fromEntries(threads), dir: dist, format: 'cjs' })),
  ];
  for (const file of Object.values(manifest.bin)) chmodSync(join(directory, file), 0o755);
  if (existsSync(PAGE)) cpSync(PAGE, join(dist, 'page'), { recursive: true });
  writeFileSync(join(dist, 'third-party-licences.txt'), licencesOf(modules));
}

/**
 * What a library's own `imports` say of what its threads load.
 *
 * @param {string} specifier
 * @returns {string}
 */
function importedByThreads(specifier) {
  for (const { manifest } of PACKAGES) {
    if (manifest.name !== COMMAND && manifest.imports?.[specifier] !== undefined) {
      return manifest.imports[specifier];
    }
  }
  throw new Error(`no library has ${specifier} among its imports`);
}

/**
 * @param {object} options
 * @param {Record<string, string>} options.input source files by the name of what is made
 * @param {import('rolldown').ExternalOption} [options.external]
 * @param {string} options.dir
 * @param {boolean} [options.sourcemap]
 * @param {Record<string, string>} [options.alias]
 * @param {import('rolldown').CodeSplittingGroup[]} [options.files]
 * @param {'esm' | 'cjs'} [options.format]
 * @returns {Promise<string[]>} the modules that are inside
 */
async function write(options) {
  const { input, external, dir, sourcemap = false, alias = {}, files = [] } = options;
  const { format = 'esm' } = options;
  const ending = format === 'esm' ? 'js' : 'cjs';
  const bundle = await rolldown({
    input,
    platform: 'node',
    resolve: { alias, extensionAlias: { '.js': ['.ts', '.js'] } },
    transform: { target: TARGET },
    tsconfig: false,
    plugins: files === FILES.command ? [WITHOUT_HTTP2] : [],
    ...(external !== undefined && { external }),
    onLog: (_level, { code, message }) => {
      throw new Error(`${code}: ${message}`);
    },
  });
  const { output } = await bundle.write({
    dir,
    format,
    sourcemap,
    // Names stay: what fails is to be found in the source.
    minify: sourcemap ? false : { compress: true, mangle: false, codegen: true },
    entryFileNames: `[name].${ending}`,
    chunkFileNames: `chunks/[name]-[hash].${ending}`,
    codeSplitting: { groups: files },
  });
  await bundle.close();
  return output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []));
}
