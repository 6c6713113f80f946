/**
 * Makes a checkout ready to run: checks Node, installs what is missing, builds what changed.
 * `npm run demo`, `npm test` and `npm run bench` start with it, so that a fresh clone needs
 * nothing but Node and npm. Harmless when repeated: the second time it does next to nothing.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const oldestNode = [20, 19];
const onWindows = process.platform === 'win32';
const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** A step that failed, with everything that it had to say. */
class StepFailed extends Error {
  constructor(message, exitCode) {
    super(message);
    this.exitCode = exitCode;
  }
}

try {
  checkNode();
  if (!isInstalled()) await install();
  await step('Building', [
    process.execPath,
    tscPath(),
    '--build',
    'packages/cli',
    'packages/testing',
    'packages/recording',
  ]);
  await step('Building the page', [process.execPath, join('scripts', 'page.mjs')]);
  await step('Bundling', [process.execPath, join('scripts', 'bundle.mjs')]);
  await linkCommand();
} catch (error) {
  if (!(error instanceof StepFailed)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error.exitCode;
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])) return;
  throw new StepFailed(
    `Longwire needs Node ${oldestNode.join('.')} or newer, and this is Node ${process.versions.node}. ` +
      'Get a newer one from https://nodejs.org and try again.',
    1,
  );
}

/**
 * Compares what the lock file asks for with what npm wrote down at the end of the last
 * installation. An interrupted installation leaves no such note. Packages for other platforms
 * are optional and never there.
 */
function isInstalled() {
  const wanted = packagesIn('package-lock.json');
  const installed = packagesIn(join('node_modules', '.package-lock.json'));
  if (!wanted || !installed) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '') return true;
    const found = installed[path];
    if (!found) return entry.optional === true;
    return found.version === entry.version && found.integrity === entry.integrity;
  });
}

/**
 * What `npm ci` does, but for one thing: `npm ci` refuses a lock file that does not list every
 * optional package, and registries do not carry all of those for all platforms.
 */
async function install() {
  rmSync(join(root, 'node_modules'), { recursive: true, force: true });
  const options = ['--no-save', '--include=dev', '--no-audit', '--no-fund'];
  await step('Installing the packages', npm('install', ...options));
}

function packagesIn(lockFile) {
  try {
    return JSON.parse(readFileSync(join(root, lockFile), 'utf8')).packages;
  } catch {
    return undefined;
  }
}

function tscPath() {
  return join(root, 'node_modules', 'typescript', 'bin', 'tsc');
}

/** npm links the commands of workspaces while it installs, and skips this one: it was not built. */
async function linkCommand() {
  const command = join(root, 'packages', 'cli', 'dist', 'bin.js');
  if (!existsSync(command)) return;
  if (existsSync(join(root, 'node_modules', '.bin', 'longwire'))) return;
  await step('Linking the command', npm('rebuild', 'longwire', '--ignore-scripts'));
}

/** npm as it was started, if this runs below npm; else the one on the path. */
function npm(...args) {
  const script = process.env.npm_execpath;
  if (script && /npm-cli\.[cm]?js$/.test(script)) return [process.execPath, script, ...args];
  return [onWindows ? 'npm.cmd' : 'npm', ...args];
}

/** Runs one command with one line to show for it; its output is shown only when it fails. */
async function step(title, [command, ...args]) {
  const startedAt = Date.now();
  process.stderr.write(`${title}… `);
  const { code, signal, output } = await run(command, args);
  if (signal) {
    throw new StepFailed('interrupted.', 128 + constants.signals[signal]);
  }
  if (code !== 0) {
    throw new StepFailed(
      `failed.\n\n${output.trim()}\n\n${title} failed (exit code ${code}).`,
      code,
    );
  }
  process.stderr.write(`done in ${((Date.now() - startedAt) / 1000).toFixed(1)} s.\n`);
}

/**
 * Runs a command in a process group of its own, so that a signal ends all that it started. npm
 * puts back what it found before it gives in to a signal, which takes as long as installing; the
 * next run starts from nothing anyway, so it gets a second.
 */
function run(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: !onWindows,
      shell: command.endsWith('.cmd'),
    });
    let output = '';
    let stoppedBy;
    let graceTimer;
    const stop = (signal) => {
      stoppedBy ??= signal;
      kill(child, signal);
      graceTimer ??= setTimeout(() => kill(child, 'SIGKILL'), 1000);
    };
    for (const signal of stopSignals) process.on(signal, stop);
    child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (output += text));
    child.on('error', (error) => {
      reject(new StepFailed(`failed.\n\nCould not start ${command}: ${error.message}`, 1));
    });
    child.on('close', (code, signal) => {
      clearTimeout(graceTimer);
      for (const name of stopSignals) process.off(name, stop);
      resolve({ code, signal: stoppedBy ?? signal, output });
    });
  });
}

function kill(child, signal) {
  try {
    if (onWindows) child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch {
    // It has ended by itself.
  }
}
