import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createClient,
  LongwireError,
  type LongwireClient,
  type TaskHandle,
  type ToolSource,
} from '@longwire/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectNothingLeftOpen } from '../../../test/support/open-handles.ts';
import { until } from '../../../test/support/until.ts';
import { readJournal, type Source, type StepRecord } from '../src/index.ts';
import { startWorkflow } from './support/rig.ts';
import { ScriptedSource } from './support/scripted-source.ts';
import { startTaskShop, type TaskShop } from './support/task-shop.ts';

expectNothingLeftOpen();
let server: TaskShop;
let client: LongwireClient;
let shop: Source;
let journal: string;
/** The tasks that the workflow has learned of, or taken up. */
let known: string[];
beforeEach(async () => {
  server = await startTaskShop();
  known = [];
  client = createClient(server.url, { name: 'shop' });
  shop = {
    listTools: (options) => client.listTools(options),
    callTool: (tool, args, options = {}) => {
      const onTask = (task: TaskHandle): void => {
        known.push(task.taskId);
        options.onTask?.(task);
      };
      return client.callTool(tool, args, { ...options, onTask });
    },
    task: (taskId) => {
      known.push(taskId);
      return client.task(taskId);
    },
    on: (event, listener) => client.on(event, listener),
  };
  journal = await mkdtemp(join(tmpdir(), 'longwire-tasks-'));
});
afterEach(async () => {
  await client.close();
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
      await until(() => expect(known).toHaveLength(1));
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
      await until(() => expect(known).toHaveLength(i + 1));
      await rig.runner.close();
    }
    expect(await stepsOf()).toMatchObject([{ state: 'begun', attempts: 1 }]);
    expect(server).toMatchObject({ begun: ['write'], aborted: [] });
  });
});

it('without a journal, closing cancels the task', async () => {
  await using rig = await startWorkflow(text, { shop });
  await rig.runner.push({ name: 'order', data: 1 });
  await until(() => expect(known).toHaveLength(1));
  await rig.runner.close();
  await until(() => expect(server.aborted).toEqual(['write']));
  expect(await rig.letters()).toMatchObject([{ error: { code: 'stopped' } }]);
});

/** A source whose calls become tasks that end as they are told. */
class TaskSource extends ScriptedSource {
  /** Which tasks were taken up, and for whom; and which were cancelled. */
  readonly taken: string[] = [];
  readonly cancelled: string[] = [];
  end: () => Promise<unknown> = async () => 'kept';

  constructor() {
    super({
      write: (_args, _earlier, { onTask, signal }) => {
        onTask?.(this.task('t1'));
        return new Promise((_resolve, reject) => signal?.addEventListener('abort', reject));
      },
      note: () => 'noted',
    });
  }

  as(user: string): ToolSource {
    return {
      name: 'shop',
      listTools: () => this.listTools(),
      callTool: (tool, args, options) =>
        this.callTool(tool, args as Record<string, unknown>, options),
      task: (taskId) => this.task(taskId, user),
      on: () => () => {},
    };
  }

  task(taskId: string, user = 'nobody'): TaskHandle {
    return {
      taskId,
      server: 'shop',
      status: () => Promise.reject(new Error('not asked for')),
      result: async () => {
        this.taken.push(`${taskId} for ${user}`);
        return { content: [{ type: 'text', text: String(await this.end()) }] };
      },
      cancel: async () => void this.cancelled.push(taskId),
    };
  }
}

describe('a task that is taken up', () => {
  /** Leaves a task, and runs again over it. */
  async function takeUp(end?: TaskSource['end']): Promise<TaskSource> {
    const source = new TaskSource();
    if (end !== undefined) source.end = end;
    const asAda = `as: '"ada"'\n${text.replaceAll(/^ {2}/gm, '')}`;
    {
      await using rig = await startWorkflow(asAda, { shop: source }, { journal });
      await rig.runner.push({ name: 'order', data: 1 });
      await until(() => expect(source.calls).toHaveLength(1));
      await rig.runner.close();
    }
    await using rig = await startWorkflow(asAda, { shop: source }, { journal });
    await rig.runner.idle();
    expect(source.argsOf('write')).toHaveLength(1);
    return source;
  }

  it('is asked for as the user of its step', async () => {
    const source = await takeUp();
    expect(source.taken).toEqual(['t1 for ada']);
    expect(source.argsOf('note')).toEqual([{ was: 'kept' }]);
  });

  it('is of unknown outcome if it cannot be asked for, whatever is certain about the asking', async () => {
    const options = { code: 'connect-failed', certainty: 'not-sent' } as const;
    const source = await takeUp(() => Promise.reject(new LongwireError('down', options)));
    expect(source.argsOf('note')).toEqual([{ was: 'connect-failed' }]);
    expect(source.cancelled).toEqual([]);
    const [entry] = await readJournal(journal);
    expect(entry?.run.error).toMatchObject({ certainty: 'outcome-unknown' });
  });

  it.each(['timeout', 'deadline'] as const)('is cancelled at its %s', async (code) => {
    const error = new LongwireError('too long', { code, certainty: 'outcome-unknown' });
    const source = await takeUp(() => Promise.reject(error));
    expect(source.cancelled).toEqual(['t1']);
    expect(source.argsOf('note')).toEqual([{ was: code }]);
  });
});
