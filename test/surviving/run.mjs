/**
 * `npm run surviving [-- --seconds N]`: has the tool write for so long, 20 seconds if nothing is said, in
 * every cell of the table of `docs/surviving.md`, and prints what came of each.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '20' } } });
const seconds = Number(values.seconds);
if (!(seconds >= 1)) throw new TypeError(`--seconds is a number from 1 on, not ${values.seconds}`);

const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));
const { status, error } = spawnSync(
  process.execPath,
  [vitest, 'run', 'test/surviving/', '--update'],
  {
    stdio: 'inherit',
    env: { ...process.env, SURVIVING_MS: String(seconds * 1_000) },
  },
);
if (error) throw error;
process.exitCode = status ?? 1;
