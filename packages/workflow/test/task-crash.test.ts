import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../../test/support/until.ts';
import { bundle } from '../../server/test/support/bundle.ts';
import { readJournal } from '../src/index.ts';
import { startTaskShop, type TaskShop } from './support/task-shop.ts';
import type { TaskProgramOptions, Told } from './support/task-program.ts';

let program: Awaited<ReturnType<typeof bundle>>;
beforeAll(async () => {
  program = await bundle(new URL('support/task-program.ts', import.meta.url));
});
afterAll(() => program.remove());

let shop: TaskShop;
let journal: string;
beforeEach(async () => {
  shop = await startTaskShop();
  journal = await mkdtemp(join(tmpdir(), 'longwire-tasks-'));
});
afterEach(async () => {
  await shop[Symbol.asyncDispose]();
  await rm(journal, { recursive: true, force: true });
});

const ordering = (step: string): string => `
  triggers:
    - on: order
      ${step}
      with: { n: =event.data }
      then: [{ call: note, with: { was: =result } }]
      catch: [{ call: note, with: { was: =error.code } }]`;

let protocol: TaskProgramOptions['protocol'] = '2026-07-28';
const common = (): Pick<TaskProgramOptions, 'url' | 'protocol' | 'journal'> => ({
  url: shop.url,
  protocol,
  journal,
});

/** Runs the program until something has happened, and kills it then. */
async function killedWhen(
  options: Omit<TaskProgramOptions, 'url' | 'protocol' | 'journal'>,
  happened: (told: readonly Told[]) => boolean,
): Promise<Told[]> {
  const told: Told[] = [];
  const child = fork(program.path, [JSON.stringify({ ...common(), ...options })]);
  const exited = once(child, 'exit');
  child.on('message', (one: Told) => told.push(one));
  await until(() => happened(told));
  child.kill('SIGKILL');
  expect(await exited).toEqual([null, 'SIGKILL']);
  return told;
}

/** Runs the program over what the one before has left, to its end. */
async function resumed(workflow: string): Promise<Told[]> {
  const told: Told[] = [];
  const options: TaskProgramOptions = { ...common(), workflow, answers: true };
  const child = fork(program.path, [JSON.stringify(options)]);
  child.on('message', (one: Told) => told.push(one));
  expect(await once(child, 'exit')).toEqual([0, null]);
  return told;
}

const push = { name: 'order', data: 7 };
const isNoted = (told: readonly Told[]): boolean =>
  told.some((one) => one.type === 'wrote' && one.task !== undefined);

it('before its call is a task, the outcome is unknown, and nothing runs twice', async () => {
  protocol = '2026-07-28';
  const workflow = ordering('call: slow');
  await killedWhen({ workflow, push }, () => shop.begun.length > 0);
  await resumed(workflow);
  expect(shop.begun).toEqual(['slow']);
  expect(shop.notes).toEqual(['outcome-unknown']);
});

describe.each(['2026-07-28', '2025-11-25'] as const)(
  'once its call is a task, of %s',
  (version) => {
    beforeEach(() => {
      protocol = version;
    });

    it('the next process waits for the task, and goes on with its result', async () => {
      const workflow = ordering('call: write');
      await killedWhen({ workflow, push }, isNoted);
      const next = resumed(workflow);
      shop.open();
      const told = await next;
      expect(shop).toMatchObject({ begun: ['write'], aborted: [], notes: ['wrote 7'] });
      expect(told.at(-1)).toMatchObject({
        type: 'run',
        run: {
          outcome: 'done',
          resumed: true,
          steps: [
            { id: 'write', attempts: 1, task: { server: 'shop', taskId: expect.any(String) } },
            { id: 'note' },
          ],
        },
      });
    });

    it('killed while it waits, another one goes on', async () => {
      const workflow = ordering('call: write');
      await killedWhen({ workflow, push }, isNoted);
      await killedWhen({ workflow, holds: 'done' }, (told) => {
        shop.open();
        return told.some(({ type }) => type === 'held');
      });
      await resumed(workflow);
      expect(shop).toMatchObject({ begun: ['write'], notes: ['wrote 7'] });
    });

    it('while the task asks for input, the next process is asked, and answers', async () => {
      const workflow = ordering('call: greet');
      const first = await killedWhen({ workflow, push }, (told) =>
        told.some(({ type }) => type === 'asked'),
      );
      const told = await resumed(workflow);
      const asked = [...first, ...told].filter(({ type }) => type === 'asked');
      expect(asked).toEqual(Array(2).fill({ type: 'asked', message: 'Your name?' }));
      expect(shop).toMatchObject({ begun: ['greet'], notes: ['Hello, Ada'] });
    });

    it('after the end of the task, which the journal does not have yet, its result is kept', async () => {
      const workflow = ordering('call: write');
      shop.open();
      await killedWhen({ workflow, push, holds: 'done' }, (told) =>
        told.some(({ type }) => type === 'held'),
      );
      await resumed(workflow);
      expect(shop).toMatchObject({ begun: ['write'], notes: ['wrote 7'] });
    });

    it('where its server has lost the task, the outcome is unknown', async () => {
      const workflow = ordering('call: write');
      await killedWhen({ workflow, push }, isNoted);
      const [, port = ''] = /:(\d+)\//.exec(shop.url) ?? [];
      await shop[Symbol.asyncDispose]();
      shop = await startTaskShop({ port: Number(port) });
      await resumed(workflow);
      expect(shop).toMatchObject({ begun: [], notes: ['server-error'] });
      const [entry] = await readJournal(journal);
      expect(entry?.run).toMatchObject({
        outcome: 'caught',
        error: { certainty: 'outcome-unknown' },
      });
    });

    it('where its server has lost the task of a step that may run twice, it is called again', async () => {
      const workflow = ordering(
        'call: write\n      idempotent: true\n      retry: { maxAttempts: 2, delayMs: 1 }',
      );
      await killedWhen({ workflow, push }, isNoted);
      const [, port = ''] = /:(\d+)\//.exec(shop.url) ?? [];
      await shop[Symbol.asyncDispose]();
      shop = await startTaskShop({ port: Number(port) });
      shop.open();
      await resumed(workflow);
      expect(shop).toMatchObject({ begun: ['write'], notes: ['wrote 7'] });
    });
  },
);
