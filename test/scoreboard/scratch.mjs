import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The newest peers, in a folder of their own: it is no part of the project's dependencies, and is
 * kept between runs.
 */
const folder = fileURLToPath(
  new URL('../../node_modules/.cache/longwire-scoreboard', import.meta.url),
);
const NPM_MS = 120_000;

/** A file from which the packages of the scratch folder are resolved. */
export const scratchFile = join(folder, 'package.json');

/** The Node of the scratch folder. */
export const scratchNode = join(folder, 'node_modules', 'node', 'bin', 'node');

/**
 * Sees to it that these packages are there. One with a version stays at the newest of that range;
 * one without becomes the newest, whatever Node it wants.
 *
 * @param {readonly string[]} packages
 * @returns {Promise<string | undefined>} what went wrong, if they are not there or may be outdated
 */
export async function installNewest(packages) {
  mkdirSync(folder, { recursive: true });
  if (!existsSync(scratchFile)) writeFileSync(scratchFile, '{ "private": true }\n');
  try {
    const wanted = await Promise.all(packages.map(exactVersion));
    if (wanted.every(isInstalled)) return undefined;
    // Exact versions: without them npm takes an older one that suits the Node of this process.
    await npm(['install', '--no-audit', '--no-fund', '--save-exact', ...wanted]);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** @param {string} name @param {string} [resolvedFrom] @returns {string | undefined} */
export function installedVersion(name, resolvedFrom = scratchFile) {
  for (const path of createRequire(resolvedFrom).resolve.paths(name) ?? []) {
    const file = join(path, name, 'package.json');
    if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')).version;
  }
  return undefined;
}

/** @param {string} wanted `name@version`, of the scratch folder alone */
function isInstalled(wanted) {
  const at = wanted.lastIndexOf('@');
  const file = join(folder, 'node_modules', wanted.slice(0, at), 'package.json');
  return (
    existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).version === wanted.slice(at + 1)
  );
}

/** @param {string} wanted */
async function exactVersion(wanted) {
  const versions = JSON.parse(await npm(['view', wanted, 'version', '--json']));
  const at = wanted.lastIndexOf('@');
  const name = at > 0 ? wanted.slice(0, at) : wanted;
  // A range has many versions, in no useful order.
  const newest = [versions].flat().sort(compareNumbers).at(-1);
  return `${name}@${newest}`;
}

/** @param {string} one @param {string} other */
const compareNumbers = (one, other) => one.localeCompare(other, 'en', { numeric: true });

/**
 * Runs npm.
 *
 * @param {string[]} args
 * @param {string} [cwd] default: the scratch folder
 * @returns {Promise<string>} what it wrote
 */
export function npm(args, cwd = folder) {
  const script = process.env['npm_execpath'];
  const below = script !== undefined && /npm-cli\.[cm]?js$/.test(script);
  const [command, first] = below ? [process.execPath, [script]] : ['npm', []];
  const env = { ...process.env, npm_config_fetch_retries: '1' };
  const options = { cwd, env, timeout: NPM_MS, maxBuffer: 1e7 };
  return new Promise((resolve, reject) => {
    execFile(command, [...first, ...args], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else {
        // The rest of what npm says names places of this machine.
        const [, code = 'for no reason that it names'] = /npm error code (\S+)/.exec(stderr) ?? [];
        reject(new Error(`npm ${args[0]} failed, ${code}`));
      }
    });
  });
}
