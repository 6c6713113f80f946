import { spawn } from 'node:child_process';

/**
 * @typedef {object} Program
 * @property {string} command
 * @property {readonly string[]} args
 * @property {string} cwd
 * @property {NodeJS.ProcessEnv} env all that it gets
 * @property {number} timeoutMs it is ended then
 *
 * @typedef {object} Outcome
 * @property {number} wallMs from the start of the process to its end
 * @property {number} code
 * @property {string} stdout
 * @property {string} stderr
 * @property {string} report what it wrote to descriptor 3
 */

const STOP_SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

/**
 * Runs a program to its end. It does not outlive a signal that ends this process.
 *
 * @param {Program} program
 * @returns {Promise<Outcome>}
 */
export async function runProgram({ command, args, cwd, env, timeoutMs }) {
  const startedAt = performance.now();
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  let timedOut = false;
  const end = () => {
    child.kill('SIGKILL');
    // A process that it started may hold them open.
    for (const pipe of child.stdio) pipe?.destroy();
  };
  const timer = setTimeout(() => {
    timedOut = true;
    end();
  }, timeoutMs);
  /** @param {NodeJS.Signals} signal */
  const stop = (signal) => {
    end();
    clear();
    process.kill(process.pid, signal);
  };
  const clear = () => {
    clearTimeout(timer);
    for (const signal of STOP_SIGNALS) process.off(signal, stop);
  };
  for (const signal of STOP_SIGNALS) process.on(signal, stop);

  try {
    const [stdout, stderr, report] = [1, 2, 3].map((fd) => textOf(child.stdio[fd]));
    /** @type {{ wallMs: number, code: number | null }} */
    const { wallMs, code } = await new Promise((resolve, reject) => {
      let wallMs = 0;
      child.once('error', reject);
      child.once('exit', () => {
        wallMs = performance.now() - startedAt;
      });
      child.once('close', (code) => resolve({ wallMs, code }));
    });
    if (timedOut) throw new Error(`not done within ${timeoutMs / 1000} s`);
    if (code === null) throw new Error('ended by a signal');
    return {
      wallMs,
      code,
      stdout: stdout?.() ?? '',
      stderr: stderr?.() ?? '',
      report: report?.() ?? '',
    };
  } finally {
    clear();
  }
}

/**
 * @param {unknown} stream
 * @returns {() => string} what came until now
 */
function textOf(stream) {
  let text = '';
  const readable = /** @type {import('node:stream').Readable} */ (stream);
  readable.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  return () => text;
}
