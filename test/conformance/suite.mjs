import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { npm } from '../scoreboard/scratch.mjs';
import { requiredRuns } from './requirements.mjs';

/**
 * @typedef {import('./requirements.mjs').Role} Role
 * @typedef {import('./requirements.mjs').Run} Run
 */

/** The official suite, in a folder of its own, with the Node that it wants; kept between runs. */
const folder = fileURLToPath(
  new URL('../../node_modules/.cache/longwire-conformance', import.meta.url),
);
const PACKAGES = { '@modelcontextprotocol/conformance': '0.2.0-alpha.12', node: '24' };
const LIST_MS = 60_000;

/** The suite's program. */
export const suiteProgram = join(
  folder,
  'node_modules/@modelcontextprotocol/conformance/dist/index.js',
);

/** The Node that runs it. */
export const suiteNode = join(folder, 'node_modules/node/bin/node');

/**
 * Sees to it that the suite can be run.
 *
 * @returns {Promise<string | undefined>} why it cannot
 */
export async function prepareSuite() {
  mkdirSync(folder, { recursive: true });
  const manifest = join(folder, 'package.json');
  if (!existsSync(manifest)) writeFileSync(manifest, '{ "private": true }\n');
  try {
    if (!Object.entries(PACKAGES).every(isInstalled)) {
      const wanted = Object.entries(PACKAGES).map(([name, version]) => `${name}@${version}`);
      await npm(['install', '--no-audit', '--no-fund', '--save-exact', ...wanted], folder);
    }
    await promisify(execFile)(suiteNode, ['--version']);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * All that the suite has for a role: what is required, and everything else at each revision that it
 * belongs to; an extension belongs to none.
 *
 * @param {Role} role
 * @returns {Promise<Run[]>}
 */
export async function allRuns(role) {
  const { stdout } = await promisify(execFile)(suiteNode, [suiteProgram, 'list', `--${role}`], {
    timeout: LIST_MS,
  });
  const runs = requiredRuns(role);
  for (const [, scenario = '', versions = ''] of stdout.matchAll(/^ +- (\S+) \[([^\]]*)\]$/gm)) {
    for (const version of versions.split(',')) {
      const specVersion = version === 'extension' ? '' : version;
      const isKnown = runs.some(
        (run) => run.scenario === scenario && run.specVersion === specVersion,
      );
      if (!isKnown) runs.push({ role, scenario, specVersion, required: false });
    }
  }
  return runs;
}

/** @param {[string, string]} entry */
function isInstalled([name, version]) {
  const manifest = join(folder, 'node_modules', name, 'package.json');
  if (!existsSync(manifest)) return false;
  const installed = JSON.parse(readFileSync(manifest, 'utf8')).version;
  return installed === version || installed.startsWith(`${version}.`);
}
