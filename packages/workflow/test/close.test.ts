import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LongwireError } from '@longwire/client';
import { expect, it } from 'vitest';
import { until } from '../../../test/support/until.ts';
import type { CutRun } from '../src/index.ts';
import { startWorkflow } from './support/rig.ts';
import { ScriptedSource } from './support/scripted-source.ts';

/** As of a client whose call was sent. */
const aborted = new LongwireError('the call was aborted', {
  code: 'aborted',
  certainty: 'outcome-unknown',
});

/** A shop whose tool waits until it is released, or aborted. */
function createShop() {
  const held: (() => void)[] = [];
  const shop = new ScriptedSource({
    wait: (_args, _earlier, { signal }) =>
      new Promise((resolve, reject) => {
        held.push(() => resolve('done'));
        signal?.addEventListener('abort', () => reject(aborted));
      }),
    note: () => 'noted',
  });
  return {
    shop,
    held,
    release: () => {
      for (const go of held.splice(0)) go();
    },
  };
}

const twoSteps = `
concurrency: 1
triggers: [{ on: alert, call: wait, then: [{ call: note }] }]
`;

it('lets all runs finish that were taken, takes no more, and is closed then', async () => {
  const { shop, held, release } = createShop();
  await using rig = await startWorkflow(twoSteps, { shop });
  for (let i = 0; i < 3; i++) await rig.runner.push({ name: 'alert' });
  await until(() => expect(held).toHaveLength(1));
  const cut: CutRun[] = [];
  let isClosed = false;
  const closed = rig.runner
    .close({ drainMs: 60_000, onCut: (run) => cut.push(run) })
    .then(() => (isClosed = true));
  await expect(rig.runner.push({ name: 'alert' })).rejects.toMatchObject({
    code: 'closed',
    certainty: 'not-sent',
  });
  expect(shop.listeners).toBe(0);
  for (let i = 0; i < 3; i++) {
    expect(isClosed).toBe(false);
    await until(() => expect(held).toHaveLength(1));
    release();
  }
  await closed;
  expect(cut).toEqual([]);
  expect(rig.runner.stats()).toMatchObject({ runs: { done: 3, dead: 0 }, queued: 0, running: 0 });
  expect(shop.argsOf('note')).toHaveLength(3);
});

it('cuts what is left when the time is over, and says which runs that were', async () => {
  const { shop, held } = createShop();
  await using rig = await startWorkflow(twoSteps, { shop });
  for (let i = 0; i < 2; i++) await rig.runner.push({ name: 'alert' });
  await until(() => expect(held).toHaveLength(1));
  const cut: CutRun[] = [];
  await rig.runner.close({ drainMs: 20, onCut: (run) => cut.push(run) });
  const letters = await rig.letters();
  expect(letters).toHaveLength(2);
  expect(new Set(cut.map(({ run }) => run))).toEqual(new Set(letters.map(({ run }) => run)));
  expect(cut.map(({ trigger }) => trigger)).toEqual(['alert#1', 'alert#1']);
  expect(letters.map(({ error }) => error.code)).toEqual(['stopped', 'stopped']);
  expect(shop.argsOf('note')).toEqual([]);
});

it('ends at once when it is closed or stopped again', async () => {
  for (const again of ['close', 'stop'] as const) {
    const { shop, held, release } = createShop();
    await using rig = await startWorkflow(twoSteps, { shop });
    await rig.runner.push({ name: 'alert' });
    await until(() => expect(held).toHaveLength(1));
    const first = rig.runner.close({ drainMs: Infinity });
    const second = rig.runner[again]();
    if (again === 'stop') release();
    await Promise.all([first, second]);
    expect(rig.runner.stats().running).toBe(0);
  }
});

it('leaves what did not finish in the journal, for the next process', async () => {
  const journal = await mkdtemp(join(tmpdir(), 'longwire-journal-'));
  try {
    const { shop, held } = createShop();
    const cut: CutRun[] = [];
    {
      await using rig = await startWorkflow(twoSteps, { shop }, { journal });
      await rig.runner.push({ name: 'alert', id: 'e1' });
      await until(() => expect(held).toHaveLength(1));
      await rig.runner.close({ drainMs: 10, onCut: (run) => cut.push(run) });
      expect(await rig.letters()).toEqual([]);
    }
    const next = createShop();
    await using rig = await startWorkflow(twoSteps, { shop: next.shop }, { journal });
    await rig.runner.idle();
    expect(rig.runs.map(({ run }) => run)).toEqual(cut.map(({ run }) => run));
  } finally {
    await rm(journal, { recursive: true, force: true });
  }
});

it('refuses options that are wrong', async () => {
  const { shop } = createShop();
  await using rig = await startWorkflow(twoSteps, { shop });
  await expect(rig.runner.close({ drainMs: -1 })).rejects.toThrow(
    new TypeError('drainMs must be a number from 0, not -1'),
  );
  await expect(rig.runner.close({ drain: 1 } as object)).rejects.toThrow(
    new TypeError('drain is not an option; there are drainMs, onCut'),
  );
  expect(shop.listeners).toBe(1);
});
