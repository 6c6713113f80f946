import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient, type LongwireClient, type Middleware } from '@longwire/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectNothingLeftOpen } from '../../../test/support/open-handles.ts';
import { until } from '../../../test/support/until.ts';
import { readJournal, type Source, type StepRecord } from '../src/index.ts';
import { startWorkflow } from './support/rig.ts';
import { ScriptedSource } from './support/scripted-source.ts';
import { startTaskShop, type TaskShop } from './support/task-shop.ts';

expectNothingLeftOpen();
let server: TaskShop;
let shop: LongwireClient;
let journal: string;
/** What the client asked the server for. */
let asked: string[];
beforeEach(async () => {
  server = await startTaskShop();
  asked = [];
  const note: Middleware = (request, next) => {
    asked.push(request.method);
    return next();
  };
  shop = createClient(server.url, { name: 'shop', middleware: [note] });
  journal = await mkdtemp(join(tmpdir(), 'longwire-tasks-'));
});
afterEach(async () => {
  await shop.close();
  await server[Symbol.asyncDispose]();
  await rm(journal, { recursive: true, force: true });
});

const text = `
  triggers:
    - on: order
      call: write
      with: { n: =event.data }
      then: [{ call: note, with: { was: =result } }]
      catch: [{ call: note, with: { was: =error.code } }]`;

const stepsOf = async (): Promise<readonly StepRecord[]> =>
  (await readJournal(journal)).flatMap(({ steps }) => steps);

describe('with a journal', () => {
  it('a workflow that is closed leaves its task, and the next start takes it up', async () => {
    {
      await using rig = await startWorkflow(text, { shop }, { journal });
      await rig.runner.push({ name: 'order', data: 1 });
      await until(() => expect(asked).toContain('tasks/get'));
      await rig.runner.close();
    }
    const task = { server: 'shop', taskId: expect.any(String) as string };
    expect(await stepsOf()).toMatchObject([{ id: 'write', state: 'begun', task }]);
    server.open();
    await using rig = await startWorkflow(text, { shop }, { journal });
    await rig.runner.idle();
    expect(server).toMatchObject({ begun: ['write'], aborted: [], notes: ['wrote 1'] });
    expect(rig.runs).toMatchObject([{ outcome: 'done', resumed: true }]);
  });

  it('a task that is taken up is left again when the workflow is closed', async () => {
    for (let i = 0; i < 2; i++) {
      await using rig = await startWorkflow(text, { shop }, { journal });
      if (i === 0) await rig.runner.push({ name: 'order', data: 1 });
      const before = asked.length;
      await until(() => expect(asked.slice(before)).toContain('tasks/get'));
      await rig.runner.close();
    }
    expect(await stepsOf()).toMatchObject([{ state: 'begun', attempts: 1 }]);
    expect(server).toMatchObject({ begun: ['write'], aborted: [] });
  });
});

it('without a journal, closing cancels the task', async () => {
  await using rig = await startWorkflow(text, { shop });
  await rig.runner.push({ name: 'order', data: 1 });
  await until(() => expect(asked).toContain('tasks/get'));
  await rig.runner.close();
  await until(() => expect(server.aborted).toEqual(['write']));
  expect(await rig.letters()).toMatchObject([{ error: { code: 'stopped' } }]);
});
