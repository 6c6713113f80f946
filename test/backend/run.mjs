/**
 * Runs the backend for so many minutes with each Node, and says what came of it.
 *
 *     npm run backend -- --minutes 5
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '5' } } });
const minutes = Number(values.minutes);
if (!(minutes > 0)) {
  console.error('--minutes: a number above 0');
  process.exitCode = 2;
} else {
  const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));
  const { status } = spawnSync(process.execPath, [vitest, 'run', 'test/backend/'], {
    stdio: 'inherit',
    env: { ...process.env, BACKEND_SECONDS: String(minutes * 60) },
  });
  process.exitCode = status ?? 1;
}
