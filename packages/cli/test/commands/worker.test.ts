import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startRedis } from '../../../../test/cluster/support/redis-server.mjs';
import { run } from '../run.ts';

let cwd: string;
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'longwire-worker-'));
  const create = 'export const create = () => { throw new Error("not called"); };';
  const files = {
    'good.mjs': `${create} export const queues = { render: { concurrency: 2, worker: true } };`,
    'no-worker.mjs': `${create} export const queues = { render: { concurrency: 2 } };`,
    'no-queues.mjs': create,
    'no-create.mjs': 'export const queues = {};',
    'throws.mjs': 'throw new Error("the key is missing");',
    'options.mjs': `${create} export const queues = { render: { concurrency: 2, worker: true } };
      export const redisOptions = { colour: 1 };`,
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(cwd, name), text);
});
afterEach(() => rm(cwd, { recursive: true }));

const REDIS = ['--redis', 'redis://:a-secret@127.0.0.1:1'];

it('refuses wrong words, and programs that are none, before anything is started', async () => {
  const refused: Record<string, string[]> = {
    'PROGRAM is missing': REDIS,
    'which Redis': ['good.mjs'],
    'must be redis://HOST:PORT': ['good.mjs', '--redis', 'http://127.0.0.1'],
    '"0" is no count': ['good.mjs', '--concurrency', '0', ...REDIS],
    '"soon" is not a duration': ['good.mjs', '--silence', 'soon', ...REDIS],
    'must be a second or more': ['good.mjs', '--silence', '10ms', ...REDIS],
    'none.mjs cannot be loaded: there is no such file': ['none.mjs', ...REDIS],
    'throws.mjs cannot be loaded: the key is missing': ['throws.mjs', ...REDIS],
    'no-create.mjs exports no function create': ['no-create.mjs', ...REDIS],
    'no-queues.mjs exports no queues': ['no-queues.mjs', ...REDIS],
    'a queue with worker: true': ['no-worker.mjs', ...REDIS],
    'there is no option colour': ['options.mjs', ...REDIS],
  };
  for (const [why, words] of Object.entries(refused)) {
    const { code, stdout, stderr } = await run(['worker', ...words], { cwd });
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining(why)]);
    expect(stderr).not.toContain('a-secret');
  }
});

it('says that Redis cannot be reached, without its password', async () => {
  const { code, stderr } = await run(['worker', 'good.mjs', ...REDIS], { cwd });
  expect([code, stderr]).toEqual([3, expect.stringContaining('Redis at 127.0.0.1:1')]);
  expect(stderr).not.toContain('a-secret');
});

it('runs until Ctrl-C, and says what it runs', async () => {
  const server = await startRedis();
  try {
    for (const [words, shown] of [
      [[], 'Runs calls of render, 3 at a time\n'],
      [['--json'], '{"queues":["render"],"concurrency":3}\n'],
    ] as const) {
      let interrupt = (): void => {};
      const { code, stdout } = await run(
        ['worker', 'good.mjs', '--concurrency', '3', '--mount', '/api', ...words],
        {
          cwd,
          env: { REDIS_URL: server.url },
          onInterrupt: (listener) => (interrupt = listener),
          onOutput: () => interrupt(),
        },
      );
      expect([code, stdout]).toEqual([130, shown]);
    }
  } finally {
    await server.stop();
  }
});
