/**
 * Runs every example, each with a time limit, and says which of them failed.
 *
 *     npm run examples [-- name …]
 */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const LIMIT_MS = 60_000;
/** What the others import, and what wants a server of its own. */
const NOT_RUN = new Set(['market', 'run', 'sdk-client']);

const folder = fileURLToPath(new URL('.', import.meta.url));
const all = readdirSync(folder)
  .filter((file) => file.endsWith('.mjs'))
  .map((file) => file.slice(0, -'.mjs'.length))
  .filter((name) => !NOT_RUN.has(name));
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  console.error(`no example ${unknown.join(', ')}; there are ${all.join(', ')}`);
  process.exitCode = 2;
} else {
  let failed = 0;
  for (const name of asked.length > 0 ? asked : all) {
    const startedAt = Date.now();
    const { problem, output } = await run(name);
    const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
    if (problem !== undefined) failed += 1;
    console.log(
      `${problem === undefined ? 'ok' : 'FAILED'}  ${name} (${problem ?? `${seconds} s`})`,
    );
    if (problem !== undefined || asked.length > 0) console.log(output.replace(/^/gm, '    '));
  }
  if (failed > 0) process.exitCode = 1;
}

/** @param {string} name @returns {Promise<{ problem: string | undefined, output: string }>} */
function run(name) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [`${folder}${name}.mjs`], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // Those with a port of their own shall not meet what listens there.
      env: { ...process.env, PORT: '0' },
      timeout: LIMIT_MS,
      killSignal: 'SIGKILL',
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (output += text));
    child.on('close', (code, signal) => {
      const limit = `not done in ${LIMIT_MS / 1000} s`;
      const problem = signal === null ? `exit code ${code}` : limit;
      resolve({ problem: code === 0 ? undefined : problem, output: output.trimEnd() });
    });
  });
}
