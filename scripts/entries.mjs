/**
 * What can be imported of the packages of this workspace, as their manifests say, and the source file
 * of each. Bundles are made of them, and the tests run them in place of what is built.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * @typedef {object} Manifest
 * @property {string} name
 * @property {boolean} [private]
 * @property {Record<string, string | { types: string, default: string }>} exports
 * @property {Record<string, string>} [imports]
 * @property {Record<string, string>} [bin]
 * @property {Record<string, string>} [dependencies]
 * @property {Record<string, string>} [peerDependencies]
 * @property {Record<string, string>} [optionalDependencies]
 *
 * @typedef {object} Entry
 * @property {string} specifier with which it is imported; empty for a command
 * @property {string} name of what is built, below `dist` and without its ending
 * @property {string} source
 *
 * @typedef {object} WorkspacePackage
 * @property {string} directory
 * @property {Manifest} manifest
 * @property {Entry[]} entries
 */

const packages = fileURLToPath(new URL('../packages/', import.meta.url));

/** Those that are published; the page is built by itself. @type {readonly WorkspacePackage[]} */
export const PACKAGES = readdirSync(packages).flatMap((folder) => {
  const directory = join(packages, folder);
  /** @type {Manifest} */
  const manifest = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
  if (manifest.private === true) return [];
  /** @param {string} specifier @param {string} built @returns {Entry[]} */
  const entryOf = (specifier, built) => {
    const [, name] = /^(?:\.\/)?dist\/(.*)\.js$/.exec(built) ?? [];
    if (name === undefined) return [];
    return [{ specifier, name, source: join(directory, 'src', `${name}.ts`) }];
  };
  const exported = Object.entries(manifest.exports).flatMap(([path, target]) =>
    entryOf(manifest.name + path.slice(1), typeof target === 'string' ? target : target.default),
  );
  const commands = Object.values(manifest.bin ?? {}).flatMap((built) => entryOf('', built));
  return [{ directory, manifest, entries: [...exported, ...commands] }];
});

/** The source file of everything that can be imported, by its specifier. */
export const SOURCES = new Map(
  PACKAGES.flatMap(({ entries }) => entries)
    .filter(({ specifier }) => specifier !== '')
    .map(({ specifier, source }) => [specifier, source]),
);
