import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suiteNode, suiteProgram } from './suite.mjs';

/**
 * @typedef {import('./requirements.mjs').Run} Run
 *
 * @typedef {object} Check
 * @property {string} id
 * @property {string} status
 * @property {string} [description]
 * @property {string} [errorMessage]
 *
 * @typedef {object} ScenarioResult
 * @property {Run} run
 * @property {number} passed checks
 * @property {number} total checks that passed or did not; those that only inform are none
 * @property {string | undefined} failure why it failed, in one line
 */

/** Each run is the suite and its client, a process each. */
const AT_A_TIME = 2;
const CLIENT_MS = 45_000;
/** The suite ends its client after the time above; beyond this it hangs itself. */
const SUITE_MS = CLIENT_MS + 15_000;
/** Characters of a cause; some quote whole pages. */
const MAX_CAUSE = 160;

const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));
/** The suite gives its command to a shell, and ends that when the time is up. */
const COMMAND = `exec '${process.execPath}' '${here('client.mjs')}'`;

let running = 0;
/** @type {(() => void)[]} */
const waiting = [];

/**
 * Runs one scenario, two at a time at most. Whatever is not known to have gone well counts as a failure: no checks at all,
 * a warning, a client that ended with an error or did not end.
 *
 * @param {Run} run
 * @param {string} [url] of the server that is looked at
 * @returns {Promise<ScenarioResult>}
 */
export async function runScenario(run, url) {
  if (running === AT_A_TIME) await new Promise((resolve) => waiting.push(() => resolve(undefined)));
  else running++;
  try {
    return await runNow(run, url);
  } finally {
    const next = waiting.shift();
    if (next === undefined) running--;
    else next();
  }
}

/** @param {Run} run @param {string} [url] @returns {Promise<ScenarioResult>} */
async function runNow(run, url) {
  const folder = await mkdtemp(join(tmpdir(), 'longwire-conformance-'));
  try {
    const ended = await runSuite(argumentsOf(run, url), folder);
    const checks = await checksIn(folder);
    return { run, ...count(checks), failure: failureOf(ended, checks) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** How the suite is called for a run. @param {Run} run @param {string} [url] */
function argumentsOf({ role, scenario, specVersion }, url) {
  const args = ['--import', here('bind-at-once.mjs'), suiteProgram, role, '--scenario', scenario];
  if (role === 'client') args.push('--command', COMMAND, '--timeout', String(CLIENT_MS));
  if (url !== undefined) args.push('--url', url);
  if (specVersion !== '') args.push('--spec-version', specVersion);
  return args;
}

/**
 * @param {string[]} args @param {string} folder
 * @returns {Promise<{ exitCode: number | null, output: string }>}
 */
function runSuite(args, folder) {
  return new Promise((resolve, reject) => {
    // In a group of its own: its client is the child of a shell, and has to end with it.
    const child = spawn(suiteNode, [...args, '--output-dir', folder], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    let output = '';
    const read = (/** @type {string} */ text) => (output += text);
    child.stdout?.setEncoding('utf8').on('data', read);
    child.stderr?.setEncoding('utf8').on('data', read);
    const endGroup = () => {
      try {
        process.kill(-(/** @type {number} */ (child.pid)), 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
    };
    const timer = setTimeout(endGroup, SUITE_MS);
    const abandon = () => {
      endGroup();
      rmSync(folder, { recursive: true, force: true });
    };
    process.once('exit', abandon);
    const done = () => {
      clearTimeout(timer);
      process.off('exit', abandon);
    };
    child.on('error', (error) => {
      done();
      reject(error);
    });
    child.on('close', (exitCode) => {
      done();
      endGroup();
      resolve({ exitCode, output });
    });
  });
}

/** @param {string} folder @returns {Promise<Check[]>} */
async function checksIn(folder) {
  const files = await readdir(folder, { recursive: true });
  const file = files.find((name) => name.endsWith('checks.json'));
  return file === undefined ? [] : JSON.parse(await readFile(join(folder, file), 'utf8'));
}

/** @param {Check[]} checks */
function count(checks) {
  const passed = checks.filter(({ status }) => status === 'SUCCESS').length;
  return { passed, total: passed + checks.filter(isBad).length };
}

/** @param {Check} check */
const isBad = ({ status }) => !['SUCCESS', 'INFO', 'SKIPPED'].includes(status);

/** @param {{ exitCode: number | null, output: string }} ended @param {Check[]} checks */
function failureOf({ exitCode, output }, checks) {
  const causes = endOf(output, exitCode);
  for (const { id, status, errorMessage, description } of checks.filter(isBad)) {
    const severity = status === 'WARNING' ? ' (warning)' : '';
    causes.push(`${id}${severity}: ${errorMessage ?? description}`);
  }
  if (causes.length === 0) {
    if (/^SKIPPED:/m.test(output)) causes.push('the suite skipped it');
    else if (!checks.some(({ status }) => status === 'SUCCESS')) causes.push('nothing was checked');
    else if (exitCode !== 0) causes.push(`the suite ended with ${exitCode}`);
  }
  return causes.length === 0 ? undefined : causes.map(inShort).join('; ');
}

/** How the processes ended, if not well. @param {string} output @param {number | null} exitCode */
function endOf(output, exitCode) {
  if (exitCode === null) return [`the suite did not end within ${SUITE_MS} ms`];
  if (/Client timed out/.test(output)) return [`the client did not end within ${CLIENT_MS} ms`];
  // Some scenarios let a client fail; this one never does, because it expects what is to fail.
  const clientExit = /Client exited with code (\S+)/.exec(output)?.[1];
  if (clientExit === undefined) return [];
  const [, stderr = ''] = /\nStderr:\n([\s\S]*?)\n(?:Results saved|Checks:|$)/.exec(output) ?? [];
  return [stderr.trim() || `the client ended with ${clientExit}`];
}

/** @param {string} cause */
function inShort(cause) {
  const line = cause.replaceAll(/\s+/g, ' ');
  return line.length > MAX_CAUSE ? `${line.slice(0, MAX_CAUSE)}…` : line;
}
