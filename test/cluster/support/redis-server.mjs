import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

/** What serves: `valkey-server` speaks the same. */
export const redisProgram = process.env['REDIS_SERVER'] ?? 'redis-server';

/** Why there is no Redis here, if there is none. @returns {Promise<string | undefined>} */
export async function whyNoRedis() {
  return promisify(execFile)(redisProgram, ['--version']).then(
    () => undefined,
    () => `there is no ${redisProgram} here: on Debian, apt-get install redis-server`,
  );
}

/** What the server may take to say that it is ready, on a busy machine. */
const START_MS = 60_000;

/**
 * A Redis of a test's own, on a free port of 127.0.0.1, which keeps nothing on disk unless it is asked to.
 *
 * @typedef {object} RedisServer
 * @property {string} url
 * @property {number} port
 * @property {() => void} pause it answers nothing, and keeps its connections
 * @property {() => void} resume
 * @property {() => Promise<void>} kill it is gone at once, with what it had not kept
 * @property {() => Promise<void>} start it is there again, on the same port
 * @property {() => Promise<void>} stop it ends for good, and its folder with it
 */

/**
 * Starts one. With `isPersistent` it writes each command to its disk, and has everything again after `kill`
 * and `start`.
 *
 * @param {{ isPersistent?: boolean, args?: readonly string[] }} [options]
 * @returns {Promise<RedisServer & AsyncDisposable>}
 */
export async function startRedis({ isPersistent = false, args = [] } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'longwire-redis-'));
  const keeping = isPersistent
    ? ['--appendonly', 'yes', '--appendfsync', 'always']
    : ['--appendonly', 'no'];
  const common = ['--bind', '127.0.0.1', '--save', '', ...keeping, '--dir', folder, ...args];
  /** @type {import('node:child_process').ChildProcess | undefined} */
  let child;
  let port = 0;

  const kill = async () => {
    const ending = child;
    child = undefined;
    if (ending !== undefined) await endNow(ending);
  };
  const start = async () => {
    // A free port may be taken by another process before the server has it.
    for (let attempt = 1; ; attempt++) {
      const wanted = port === 0 ? await freePort() : port;
      const started = await tryStart(['--port', String(wanted), ...common]);
      if ('child' in started) {
        ({ child } = started);
        port = wanted;
        return;
      }
      if (attempt === 10) throw new Error(`${redisProgram} did not start: ${started.output}`);
      // Where it was killed, the port may be in use for a moment.
      await delay(100);
    }
  };
  const abandon = () => void child?.kill('SIGKILL');
  const stop = async () => {
    process.off('exit', abandon);
    await kill();
    await rm(folder, { recursive: true, force: true });
  };
  process.once('exit', abandon);
  try {
    await start();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    kill,
    start,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** @param {readonly string[]} args */
async function tryStart(args) {
  const child = spawn(redisProgram, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  /** @type {Promise<boolean>} */
  const isReady = new Promise((resolve, reject) => {
    const read = (/** @type {string} */ text) => {
      output += text;
      if (/Ready to accept connections/i.test(output)) resolve(true);
    };
    child.stdout.setEncoding('utf8').on('data', read);
    child.stderr.setEncoding('utf8').on('data', read);
    child.once('error', reject);
    child.once('exit', () => resolve(false));
  });
  const late = setTimeout(() => child.kill('SIGKILL'), START_MS);
  try {
    return (await isReady) ? { child } : { output };
  } finally {
    clearTimeout(late);
  }
}

/** @param {import('node:child_process').ChildProcess} child */
async function endNow(child) {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  server.close();
  await once(server, 'close');
  return port;
}
