/**
 * Runs the tests: all of them under CI, those that are named, or else all but the long ones, so that
 * `npm test` takes minutes on a small machine.
 */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const long = [
  'packages/cli/test/{doctor,login}/**',
  'packages/cli/test/dash/{kit-page,live,replay}.test.ts',
  'packages/client/test/{auth/away,channels/contract,channels/stdio/endings,identity/*,quiet}.test.ts',
  'packages/client/test/client/odd-*.test.ts',
  'packages/{client,server}/test/tasks/{hostile*,*.model,*-crash*}.test.ts',
  'packages/server/test/operate/stop.test.ts',
  'test/backend/**',
  'test/chaos/**',
  'test/cli/{*-terminal,chat,faults,hostile-repository,login,recovery,server-requests,stdio*,things,transports}.test.ts',
  'test/cluster/**',
  'test/conformance/**',
  'test/docs/**',
  'test/fuzz/fuzz.test.ts',
  'test/grafana/**',
  'test/habits/**',
  'test/interop/{go,java,popular,python,rust}*.test.ts',
  'test/interop/kit/{clients,resume-chaos}.test.ts',
  'test/interop/tasks/**',
  'test/interop/{peers,tool-events}.test.ts',
  'test/load/**',
  'test/package/**',
  'test/page/**',
  'test/principals/**',
  'test/proxies/{company,doctor}.test.ts',
  'test/recording/**',
  'test/stopping/**',
  'test/surviving/**',
  'test/ten-tasks/**',
  'test/types/**',
];

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const named = process.argv.slice(2);
const isAll = named[0] === '--all' || ![undefined, '', 'false', '0'].includes(process.env.CI);
const args = named.filter((word) => word !== '--all');
const omitted = isAll || args.length > 0 ? [] : long;

if (omitted.length > 0) {
  console.log(`Omitted; for \`npm test -- --all\`: ${omitted.join(', ')}`);
}
const vitest = join(root, 'node_modules/vitest/vitest.mjs');
const excluded = omitted.map((pattern) => `--exclude=${pattern}`);
const { status, error } = spawnSync(process.execPath, [vitest, 'run', ...excluded, ...args], {
  stdio: 'inherit',
});
if (error) throw error;
process.exitCode = status ?? 1;
