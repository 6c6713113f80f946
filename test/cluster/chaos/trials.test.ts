import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { tellWhatIsMissing } from '../../interop/support/missing.ts';
import { whyNoRedis } from '../support/redis-server.mjs';

const program = fileURLToPath(new URL('../run.mjs', import.meta.url));
/** Longer than what hangs, which the trial finds itself. */
const TIMEOUT_MS = 240_000;

const missing = await whyNoRedis();
tellWhatIsMissing({ missing });

/** Runs a trial small: what it prints. */
async function run(...args: string[]): Promise<string> {
  const running = promisify(execFile)(process.execPath, [program, ...args], {
    maxBuffer: 16 * 2 ** 20,
  });
  const { stdout, stderr } = await running.catch(
    (error: { stdout: string; stderr: string }) => error,
  );
  return `${stdout}${stderr}`;
}

it.skipIf(missing !== undefined)(
  'every kind of client has its answers while nodes die, stall and lose Redis',
  { timeout: TIMEOUT_MS },
  async () => {
    const printed = await run('chaos', '--calls', '1500', '--rate', '30');
    expect(printed).toContain('\n0 promises were broken');
    // Something was at stake.
    for (const kind of ['kill', 'stall', 'hang-up']) expect(printed).toContain(` ${kind} `);
  },
);

it.skipIf(missing !== undefined)(
  'no client notices that all nodes are restarted, one after the other',
  { timeout: TIMEOUT_MS },
  async () => {
    const printed = await run('rolling', '--rate', '30');
    expect(printed).toContain('\n0 promises were broken');
    expect(printed.match(/ stopped within /g)).toHaveLength(3);
  },
);

it.skipIf(missing !== undefined)(
  'all is well after Redis was away, whatever it has kept',
  { timeout: TIMEOUT_MS },
  async () => {
    const printed = await run('away');
    expect(printed).toContain('\n0 promises were broken');
    expect(printed.match(/ after Redis was back/g)).toHaveLength(3);
  },
);

it.skipIf(missing !== undefined)(
  'every call is answered while another Redis takes over, or slots move',
  { timeout: TIMEOUT_MS },
  async () => {
    const changes = ['--change', 'killed', '--change', 'resharded'];
    const printed = await run('failover', '--rounds', '1', '--replicas', '1', ...changes);
    expect(printed).toContain('\n0 promises were broken');
    expect(printed.match(/ another one after /g)).toHaveLength(2);
  },
);

it('says how it is used', async () => {
  expect(await run('--help')).toMatch(/^Usage: npm run cluster/);
  expect(await run('chaos', '--calls', 'many')).toMatch(/^--calls: not a whole number/);
  expect(await run('nothing')).toMatch(/^Not a trial: nothing/);
});
