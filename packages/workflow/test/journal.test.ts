import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectNothingLeftOpen } from '../../../test/support/open-handles.ts';
import { until } from '../../../test/support/until.ts';
import { Journal } from '../src/journal.ts';
import type { Run, StepRecord } from '../src/run.ts';
import { parseWorkflow, readJournal } from '../src/index.ts';
import { startWorkflow } from './support/rig.ts';
import { ScriptedSource } from './support/scripted-source.ts';

expectNothingLeftOpen();

let journal: string;
beforeEach(async () => {
  journal = await mkdtemp(join(tmpdir(), 'longwire-journal-'));
});
afterEach(async () => {
  await rm(journal, { recursive: true, force: true });
});

const text = `
triggers:
  - id: orders
    on: order
    call: charge
    with: { n: =event.data }
    then: [{ call: mail, with: { was: =result } }]
    catch: [{ call: tell, with: { code: =error.code } }]`;

const shopping = (): ScriptedSource =>
  new ScriptedSource({
    charge: ({ n }) => `charged ${String(n)}`,
    mail: { run: () => 'ok', tool: { annotations: { idempotentHint: true } } },
    tell: () => 'ok',
  });

/** Leaves a journal as a process does that ends in the middle of a run. */
async function writeUnfinished(
  steps: readonly Partial<StepRecord>[],
  run: Partial<Run> = {},
): Promise<void> {
  const at = new Date().toISOString();
  const event = { name: 'order', server: 'shop', id: 'e1', data: 1, params: {}, at };
  const fingerprint = parseWorkflow(text).triggers[0]?.fingerprint ?? '';
  const left = await Journal.open(journal);
  const whole: Run = {
    seq: 1,
    id: 'r1',
    trigger: 'orders',
    fingerprint,
    event,
    chain: { depth: 0, since: Date.now() },
    ...run,
  };
  await left.take([whole], []);
  for (const step of steps) {
    await left.step(whole, { path: '', id: '', state: 'begun', startedAt: at, ...step });
  }
  await left.close();
}

const charged: Partial<StepRecord> = {
  path: 'call',
  id: 'charge',
  state: 'done',
  call: 'shop/charge',
  result: 'charged 1',
};

describe('a run that a crash interrupted', () => {
  it('is resumed; what is done is not repeated', async () => {
    await writeUnfinished([charged]);
    const shop = shopping();
    await using rig = await startWorkflow(text, { shop }, { journal });
    await rig.runner.idle();
    expect(shop.calls).toEqual([{ tool: 'mail', args: { was: 'charged 1' } }]);
    expect(rig.runs).toMatchObject([{ run: 'r1', outcome: 'done', resumed: true }]);
  });

  it('does not repeat a call of unknown outcome, but goes to the error branch', async () => {
    await writeUnfinished([
      { path: 'call', id: 'charge', call: 'shop/charge', arguments: { n: 1 } },
    ]);
    const shop = shopping();
    await using rig = await startWorkflow(text, { shop }, { journal });
    await rig.runner.idle();
    expect(shop.calls).toEqual([{ tool: 'tell', args: { code: 'outcome-unknown' } }]);
    expect(rig.runs).toMatchObject([{ outcome: 'caught', error: { code: 'outcome-unknown' } }]);
  });

  it('repeats one that is safe, with the arguments that it had', async () => {
    const args = { was: 'what it was' };
    await writeUnfinished([
      charged,
      { path: 'then[0].call', id: 'mail', arguments: args, attempts: 1 },
    ]);
    const shop = shopping();
    await using rig = await startWorkflow(text, { shop }, { journal });
    await rig.runner.idle();
    expect(shop.calls).toEqual([{ tool: 'mail', args }]);
  });

  it('makes a call that is known not to have run', async () => {
    await writeUnfinished([{ path: 'call', id: 'charge', state: 'waiting', arguments: { n: 1 } }]);
    const shop = shopping();
    await using rig = await startWorkflow(text, { shop }, { journal });
    await rig.runner.idle();
    expect(shop.calls.map(({ tool }) => tool)).toEqual(['charge', 'mail']);
  });

  it('still comes before the next of its key, alone', async () => {
    const keyed = `
      triggers:
        - id: orders
          on: order
          key: event.server
          call: charge
          with: { n: =event.data }
          then: [{ call: mail, with: { was: =result } }]`;
    const [trigger] = parseWorkflow(keyed).triggers;
    const run = { key: 'shop', fingerprint: trigger?.fingerprint ?? '' };
    await writeUnfinished([charged], run);
    await writeUnfinished([], { ...run, seq: 2, id: 'r2' });
    let running = 0;
    const alone = async (text: string): Promise<string> => {
      expect(++running).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 2));
      running -= 1;
      return text;
    };
    const shop = new ScriptedSource({
      charge: ({ n }) => alone(`charged ${String(n)}`),
      mail: () => alone('ok'),
    });
    await using rig = await startWorkflow(keyed, { shop }, { journal });
    await rig.runner.push({ name: 'order', data: 3 });
    await rig.runner.idle();
    expect(shop.calls).toEqual([
      { tool: 'mail', args: { was: 'charged 1' } },
      { tool: 'charge', args: { n: 1 } },
      { tool: 'mail', args: { was: 'charged 1' } },
      { tool: 'charge', args: { n: 3 } },
      { tool: 'mail', args: { was: 'charged 3' } },
    ]);
    expect(rig.runner.stats().runs).toMatchObject({ done: 3, dead: 0 });
  });

  it('fails if its steps have changed, unless nothing was begun', async () => {
    const changed = { fingerprint: 'another' };
    await writeUnfinished([charged], changed);
    await writeUnfinished([], { ...changed, seq: 2, id: 'r2' });
    await writeUnfinished([], { trigger: 'gone', seq: 3, id: 'r3' });
    const shop = shopping();
    await using rig = await startWorkflow(text, { shop }, { journal });
    await rig.runner.idle();
    const letters = await rig.letters();
    const codes = Object.fromEntries(letters.map(({ run, error }) => [run, error.code]));
    expect(codes).toEqual({ r1: 'workflow-changed', r3: 'workflow-changed' });
    expect(shop.calls.map(({ tool }) => tool)).toEqual(['charge', 'mail']);
  });
});

describe('a journal', () => {
  it('knows what was taken once, also in the next process', async () => {
    const keyed = `
      triggers:
        - { on: order, call: charge, with: { n: =event.data } }
        - { on: order, key: event.data, dedupe: true, call: tell }`;
    const shop = shopping();
    for (const runs of [2, 0]) {
      await using rig = await startWorkflow(keyed, { shop }, { journal });
      expect(await rig.runner.push({ name: 'order', id: 'e1', data: 1 })).toMatchObject({ runs });
      await rig.runner.idle();
    }
    await using rig = await startWorkflow(keyed, { shop }, { journal });
    // Another event of the same key.
    expect(await rig.runner.push({ name: 'order', id: 'e2', data: 1 })).toMatchObject({ runs: 1 });
    await rig.runner.idle();
    expect(shop.argsOf('tell')).toHaveLength(1);
  });

  it('keeps what a stopped workflow has not begun', async () => {
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const shop = new ScriptedSource({ charge: () => gate, mail: () => 'ok', tell: () => 'ok' });
    {
      await using rig = await startWorkflow(text, { shop }, { journal, concurrency: 1 });
      for (const data of [1, 2]) await rig.runner.push({ name: 'order', data });
      await until(() => shop.calls.length === 1);
      const stopped = rig.runner.stop();
      release();
      await stopped;
      expect(await rig.letters()).toEqual([]);
    }
    const outcomes = (await readJournal(journal)).map(({ run, steps }) => [run.outcome, steps]);
    expect(outcomes).toMatchObject([
      [undefined, [{ id: 'charge', state: 'done' }]],
      [undefined, []],
    ]);
    const next = shopping();
    await using rig = await startWorkflow(text, { shop: next }, { journal });
    await rig.runner.idle();
    expect(next.calls.map(({ tool }) => tool).sort()).toEqual(['charge', 'mail', 'mail']);
  });

  it('is for one process at a time', async () => {
    const shop = shopping();
    await using _rig = await startWorkflow(text, { shop }, { journal });
    await expect(startWorkflow(text, { shop }, { journal })).rejects.toMatchObject({
      code: 'config',
      certainty: 'not-sent',
      message: expect.stringContaining('another process uses it'),
    });
  });

  it('is not touched by a dry run', async () => {
    await writeUnfinished([charged]);
    const shop = shopping();
    {
      await using rig = await startWorkflow(text, { shop }, { journal, dryRun: true });
      await rig.runner.push({ name: 'order', data: 1 });
      await rig.runner.idle();
    }
    expect(await readJournal(journal)).toMatchObject([{ run: { id: 'r1' }, steps: [charged] }]);
  });

  it('removes old runs, and no others', async () => {
    const old = new Date(Date.now() - 8 * 24 * 3_600_000).toISOString();
    const recent = new Date().toISOString();
    await writeUnfinished([charged], { outcome: 'done', finishedAt: old });
    await writeUnfinished([charged], { seq: 2, id: 'r2', outcome: 'done', finishedAt: recent });
    await writeUnfinished([], { seq: 3, id: 'r3' });
    const left = await Journal.open(journal);
    await left.load();
    await left.close();
    expect((await readJournal(journal)).map(({ run }) => run.id)).toEqual(['r2', 'r3']);
  });
});

describe('the directory of a journal', () => {
  const mode = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

  it.skipIf(process.platform === 'win32')('is closed to others, and so are its files', async () => {
    const made = join(journal, 'made', 'journal');
    await (await Journal.open(made)).close();
    expect(await mode(made)).toBe(0o700);

    const files = (await readdir(made)).map((name) => join(made, name));
    for (const path of [made, ...files]) await chmod(path, path === made ? 0o755 : 0o644);
    const open = await Journal.open(made);
    expect(await mode(made)).toBe(0o700);
    const modes = (await readdir(made)).map((name) => mode(join(made, name)));
    expect(new Set(await Promise.all(modes))).toEqual(new Set([0o600]));
    await open.close();
  });

  it('is one of its own', async () => {
    await writeFile(join(journal, 'notes.txt'), 'mine');
    const open = (path: string): Promise<Journal> => Journal.open(path);
    await expect(open(journal)).rejects.toMatchObject({
      code: 'config',
      message: `the journal ${journal} could not be opened: it holds other files: name a directory of its own`,
    });
    const file = join(journal, 'notes.txt');
    await expect(open(file)).rejects.toThrow(`${file} could not be opened: it is no directory`);
    await expect(open(join(file, 'below'))).rejects.toThrow('it is no directory');
    expect(await readdir(journal)).toEqual(['notes.txt']);
  });

  it.each([7, 'run', [], { seq: 1 }, { seq: 2, id: 'x', trigger: 't', event: {}, chain: {} }])(
    'that holds %j for a run is refused, and says so',
    async (value) => {
      const { ClassicLevel } = await import('classic-level');
      const path = join(journal, 'odd');
      await mkdir(path);
      const db = new ClassicLevel<string, unknown>(path, { valueEncoding: 'json' });
      await db.put('run!0000000000000001', value);
      await db.close();
      const { readJournal: read } = await import('../src/index.ts');
      await expect(read(path)).rejects.toMatchObject({ code: 'config' });
      await expect(read(path)).rejects.toThrow('under run!0000000000000001 is no run');
    },
  );
});
