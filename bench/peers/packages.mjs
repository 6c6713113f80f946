/**
 * Packages that are compared with Longwire and are no part of the project's dependencies. They lie in
 * a folder of their own, which is kept between runs. Their versions are fixed, so that the figures can
 * be had again.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runProgram } from './run-program.mjs';

const CACHE = fileURLToPath(new URL('../../node_modules/.cache', import.meta.url));
const INSTALL_TIMEOUT_MS = 300_000;

/** @param {string} file */
const readJson = (file) => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined);

/** The packages of one benchmark. */
export class PeerPackages {
  /** The folder, in which the programs that are measured may keep their files too. @type {string} */
  folder;
  #packages;

  /** @param {string} name of the folder @param {Readonly<Record<string, string>>} packages name → version */
  constructor(name, packages) {
    this.folder = join(CACHE, name);
    this.#packages = packages;
  }

  /** @param {string} name of a package @param {string} file of it */
  fileOf(name, file) {
    return join(this.folder, 'node_modules', name, file);
  }

  /**
   * @param {string} name
   * @returns {{ version: string, engines?: { node?: string } } | undefined}
   */
  manifestOf(name) {
    return readJson(this.fileOf(name, 'package.json'));
  }

  /**
   * Sees to it that the packages are there.
   *
   * @returns {Promise<string | undefined>} what went wrong, if they are not
   */
  async install() {
    if (this.#areInstalled()) return undefined;
    console.error('installing the peers');
    // What an interrupted installation left would be taken for whole.
    rmSync(join(this.folder, 'node_modules'), { recursive: true, force: true });
    mkdirSync(this.folder, { recursive: true });
    writeFileSync(join(this.folder, 'package.json'), '{ "private": true }\n');
    const wanted = Object.entries(this.#packages).map(([name, version]) => `${name}@${version}`);
    try {
      const { code, stderr } = await this.#npm(
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

  /** Whether npm wrote down, at the end of an installation, that everything is there. */
  #areInstalled() {
    const lock = readJson(join(this.folder, 'node_modules', '.package-lock.json'));
    const installed = lock?.packages ?? {};
    return Object.entries(this.#packages).every(
      ([name, version]) => installed[`node_modules/${name}`]?.version === version,
    );
  }

  /** npm as it was started, if this runs below npm; else the one on the path. @param {string[]} args */
  #npm(...args) {
    const script = process.env['npm_execpath'];
    const below = script !== undefined && /npm-cli\.[cm]?js$/.test(script);
    return runProgram({
      command: below ? process.execPath : 'npm',
      args: below ? [script, ...args] : args,
      cwd: this.folder,
      env: process.env,
      timeoutMs: INSTALL_TIMEOUT_MS,
    });
  }
}
