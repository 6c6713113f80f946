/**
 * The peers, in a folder of their own: it is no part of the project's dependencies, and is kept
 * between runs. Their versions are fixed, so that the figures can be had again.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runProgram } from './run-program.mjs';

const PACKAGES = {
  mcporter: '0.12.3',
  '@modelcontextprotocol/inspector': '2.12.0',
  // Both peers ask for one that is newer than what Longwire asks for.
  node: '24.21.0',
};
const INSTALL_TIMEOUT_MS = 300_000;

/** The folder, in which the programs that are measured may keep their files too. */
export const SCRATCH = fileURLToPath(
  new URL('../../node_modules/.cache/longwire-bench', import.meta.url),
);

/** @param {string} name of a package @param {string} file of it */
export const inScratch = (name, file) => join(SCRATCH, 'node_modules', name, file);

/** The Node of the folder. */
export const SCRATCH_NODE = inScratch('node', 'bin/node');

/** @param {string} file */
const readJson = (file) => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined);

/**
 * @param {string} name
 * @returns {{ version: string, engines?: { node?: string } } | undefined}
 */
export const manifestOf = (name) => readJson(inScratch(name, 'package.json'));

/** Whether npm wrote down, at the end of an installation, that everything is there. */
function areInstalled() {
  const installed = readJson(join(SCRATCH, 'node_modules', '.package-lock.json'))?.packages ?? {};
  return Object.entries(PACKAGES).every(
    ([name, version]) => installed[`node_modules/${name}`]?.version === version,
  );
}

/**
 * Sees to it that the peers are there.
 *
 * @returns {Promise<string | undefined>} what went wrong, if they are not
 */
export async function installPeers() {
  if (areInstalled()) return undefined;
  console.error('cold-start: installing the peers');
  // What an interrupted installation left would be taken for whole.
  rmSync(join(SCRATCH, 'node_modules'), { recursive: true, force: true });
  mkdirSync(SCRATCH, { recursive: true });
  writeFileSync(join(SCRATCH, 'package.json'), '{ "private": true }\n');
  const wanted = Object.entries(PACKAGES).map(([name, version]) => `${name}@${version}`);
  try {
    const { code, stderr } = await npm(
      'install',
      '--no-save',
      '--no-audit',
      '--no-fund',
      ...wanted,
    );
    if (code === 0) return undefined;
    // The rest of what npm says names places of this machine.
    const [, why = 'for no reason that it names'] = /npm error code (\S+)/.exec(stderr) ?? [];
    return `npm install failed, ${why}`;
  } catch (error) {
    return `npm install failed, ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** npm as it was started, if this runs below npm; else the one on the path. @param {string[]} args */
function npm(...args) {
  const script = process.env['npm_execpath'];
  const below = script !== undefined && /npm-cli\.[cm]?js$/.test(script);
  return runProgram({
    command: below ? process.execPath : 'npm',
    args: below ? [script, ...args] : args,
    cwd: SCRATCH,
    env: process.env,
    timeoutMs: INSTALL_TIMEOUT_MS,
  });
}
