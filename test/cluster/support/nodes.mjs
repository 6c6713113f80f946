import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** @typedef {import('./node.mjs').NodeProgram} NodeProgram */

const program = fileURLToPath(new URL('node.mjs', import.meta.url));

/**
 * A node that runs as a process of its own, and can be lost in every way that a process can.
 *
 * @typedef {object} RunningNode
 * @property {string} name
 * @property {string | undefined} origin `http://127.0.0.1:PORT`; none while it does not run
 * @property {number | undefined} pid
 * @property {() => Promise<void>} kill SIGKILL: it is gone at once
 * @property {() => void} stall SIGSTOP: it does nothing, and keeps its connections
 * @property {() => void} go SIGCONT: it goes on
 * @property {() => Promise<number | null>} stop SIGTERM: it ends in order; its exit code
 * @property {() => Promise<void>} start it runs again, on another port, by another name
 * @property {() => string} output what its processes wrote
 */

/**
 * Starts a node.
 *
 * @param {NodeProgram & { script?: string }} options `script`: another program than `node.mjs`
 * @returns {Promise<RunningNode & AsyncDisposable>}
 */
export async function startNode({ script = program, ...options }) {
  /** @type {import('node:child_process').ChildProcess | undefined} */
  let child;
  let output = '';
  let starts = 0;

  /** @type {RunningNode} */
  const node = {
    name: options.name,
    origin: undefined,
    pid: undefined,
    start: async () => {
      starts += 1;
      node.name = starts === 1 ? options.name : `${options.name}${"'".repeat(starts - 1)}`;
      const started = fork(script, [JSON.stringify({ ...options, name: node.name })], {
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
        execArgv: [],
      });
      child = started;
      node.pid = started.pid;
      const keep = (/** @type {string} */ text) => void (output = (output + text).slice(-100_000));
      started.stdout?.setEncoding('utf8').on('data', keep);
      started.stderr?.setEncoding('utf8').on('data', keep);
      started.once('exit', () => {
        if (child !== started) return;
        child = undefined;
        Object.assign(node, { origin: undefined, pid: undefined });
      });
      node.origin = await originOf(started, () => output);
    },
    kill: () => end('SIGKILL').then(() => undefined),
    stop: () => end('SIGTERM'),
    stall: () => void child?.kill('SIGSTOP'),
    go: () => void child?.kill('SIGCONT'),
    output: () => output,
  };

  /** @param {NodeJS.Signals} signal @returns {Promise<number | null>} */
  async function end(signal) {
    const ending = child;
    if (ending === undefined) return null;
    const exited = once(ending, 'exit');
    ending.kill(signal);
    const [code] = await exited;
    return code;
  }

  const abandon = () => void child?.kill('SIGKILL');
  process.once('exit', abandon);
  const dispose = async () => {
    process.off('exit', abandon);
    await node.kill();
  };
  try {
    await node.start();
  } catch (error) {
    await dispose();
    throw error;
  }
  return Object.assign(node, { [Symbol.asyncDispose]: dispose });
}

/** @param {import('node:child_process').ChildProcess} child @param {() => string} output @returns {Promise<string>} */
function originOf(child, output) {
  return new Promise((resolve, reject) => {
    child.once('message', (message) =>
      resolve(new URL(/** @type {{ url: string }} */ (message).url).origin),
    );
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      reject(new Error(`the node ended with ${code ?? signal}: ${output()}`)),
    );
  });
}
