import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { descendantsOf, isRunning } from '../../../../test/support/process-tree.ts';
import { BoundedWorker } from '../../src/untrusted/bounded-worker.js';
import { until } from '../../../../test/support/until.ts';

/** Runs the expression that a job is. */
const script = 'answer = (code) => eval(code);';
const base = { importMetaUrl: import.meta.url, limitMs: 500, maxWaitMs: 20_000, maxMemoryMb: 64 };

describe.each([
  ['in the process', false],
  ['in a process of its own', true],
])('a bounded worker %s', (_where, ownProcess) => {
  const make = (options = {}): BoundedWorker<unknown, unknown> =>
    new BoundedWorker({ script, ...base, ownProcess, ...options });

  it('answers, one job after the other', async () => {
    const worker = make();
    const outcomes = [1, 2, 3].map((n) => worker.run(() => `Promise.resolve(${n} + 1)`));
    expect(await Promise.all(outcomes)).toEqual(
      [2, 3, 4].map((answer) => ({ kind: 'answered', answer })),
    );
  });

  it('loads the packages of its maker', async () => {
    const loading = `const { Ajv } = requireFrom('ajv'); answer = () => typeof Ajv;`;
    const outcome = await make({ script: loading }).run(() => '');
    expect(outcome).toEqual({ kind: 'answered', answer: 'function' });
  });

  it.each([
    ['throws', `throw new Error('no')`, { kind: 'failed', message: 'no' }],
    ['recurses', '(function f() { f(); })()', { kind: 'failed', message: /call stack/ }],
    ['answers what cannot be cloned', '() => {}', { kind: 'failed', message: /cloned/ }],
    ['does not end', 'for (;;);', { kind: 'stopped', message: 'it took longer than 500 ms' }],
    ['waits for ever', 'new Promise(() => {})', { kind: 'stopped', message: /took longer/ }],
    ['fills the memory', 'for (let a = [];;) a.push({})', { kind: 'stopped', message: /MiB|took/ }],
    ['ends its thread', 'process.exit(3)', { kind: 'stopped', message: /exited/ }],
    [
      'fails by the side',
      `setTimeout(() => { throw Error('late') }), new Promise(() => {})`,
      { kind: 'stopped', message: /late/ },
    ],
  ])('tells of a job that %s, and runs the next', async (_what, job, { kind, message }) => {
    const worker = make();
    const outcomes = await Promise.all([worker.run(() => job), worker.run(() => '1')]);
    expect(outcomes).toEqual([
      { kind, message: expect.stringMatching(message) },
      { kind: 'answered', answer: 1 },
    ]);
  });

  it('reports a job that cannot be sent to the thread', async () => {
    const worker = make();
    expect(await worker.run(() => () => {})).toMatchObject({ kind: 'failed' });
    expect(await worker.run(() => '1')).toEqual({ kind: 'answered', answer: 1 });
  });

  it('makes a job for the thread that runs it', async () => {
    const worker = make();
    const threads: number[] = [];
    const run = (code: string): Promise<unknown> =>
      worker.run((thread) => {
        threads.push(thread);
        return code;
      });
    await Promise.all(['1', '2', 'for (;;);', '3'].map(run));
    expect(threads).toEqual([1, 1, 1, 2]);
  });

  it('limits how long a job waits', async () => {
    const worker = make({ maxWaitMs: 100 });
    const outcomes = await Promise.all(
      ['for (;;);', '1', '2'].map((code) => worker.run(() => code)),
    );
    expect(outcomes).toEqual([
      { kind: 'stopped', message: expect.any(String) },
      { kind: 'refused', message: 'others took 100 ms before it' },
      { kind: 'refused', message: 'others took 100 ms before it' },
    ]);
    expect(await worker.run(() => '3')).toEqual({ kind: 'answered', answer: 3 });
  });

  it('reports a thread that cannot start', async () => {
    const worker = make({ script: `throw new Error('not here')` });
    for (let i = 0; i < 2; i++) {
      expect(await worker.run(() => '1')).toEqual({
        kind: 'refused',
        message: 'no thread could be started: not here',
      });
    }
  });
});

describe('a process of its own', () => {
  it('keeps a thread that asks for a lot at once from ending the process of the user', async () => {
    const worker = new BoundedWorker({ script, ...base, limitMs: 20_000, ownProcess: true });
    expect(await worker.run(() => 'Array(1e8).fill(0).length')).toEqual({
      kind: 'stopped',
      message: 'it took more than 64 MiB of memory',
    });
    expect(await worker.run(() => '1')).toEqual({ kind: 'answered', answer: 1 });
  });

  it('ends with the process of the user, even in the middle of a job', async () => {
    const index = new URL('../../dist/internal.js', import.meta.url);
    const program = `
      const { BoundedWorker } = await import('${index.href}');
      const script = 'answer = (code) => eval(code);';
      const worker = new BoundedWorker({
        script, importMetaUrl: '${index.href}', limitMs: 60_000, maxMemoryMb: 64, ownProcess: true,
      });
      await worker.run(() => '1');
      console.log('busy');
      await worker.run(() => 'for (;;);');
    `;
    const user = spawn(process.execPath, ['--input-type=module', '-e', program]);
    await once(user.stdout, 'data');
    const pids = descendantsOf(Number(user.pid));
    expect(pids).toHaveLength(1);
    user.kill('SIGKILL');
    await until(() => expect(pids.filter(isRunning)).toEqual([]));
  });
});
