import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readJournal, type DeadLetter } from '@longwire/workflow';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { startCli } from '../support/run-cli.ts';
import { startCountingServer } from './counting-server.ts';
import { removeFolder } from '../support/remove-folder.ts';

const events = 1000;
const concurrency = 4;

/** It takes some 10 s; how long a busy machine takes says nothing. */
const timeoutMs = 120_000;
const killAfterMs = 100_000;

const workflow = `
name: billing
concurrency: ${concurrency}
triggers:
  - on: order
    from: shop
    call: charge
    with: { id: =event.data.id }
    then:
      - call: receipt
        with: { id: =result.id }
`;

expectNothingLeftOpen();

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'longwire-workflow-'));
});
afterEach(async () => {
  await removeFolder(directory);
});

describe('a workflow whose process is killed three times', () => {
  it(
    'handles every event, and repeats no call that is not safe',
    { timeout: timeoutMs },
    async () => {
      await using server = await startCountingServer();
      const ids = Array.from({ length: events }, (_, index) => `order-${index}`);
      const lines = ids.map((id) => JSON.stringify({ name: 'order', id, data: { id } }));
      await writeFile(join(directory, 'events.jsonl'), lines.join('\n'));
      await writeFile(join(directory, 'billing.yaml'), workflow);
      const command = `run billing.yaml --server shop=${server.url} --events events.jsonl`;
      const files = '--journal journal --dead-letter dead.jsonl --log runs.jsonl --quiet';
      const start = () =>
        startCli(`${command} ${files}`.split(' '), { cwd: directory, killAfterMs });

      // Killed on a run of a tool, at three places that differ from one time to the next.
      let runs = 0;
      for (const share of [0.2, 0.5, 0.8]) {
        const killAt = Math.round(2 * events * (share + Math.random() * 0.1));
        await using running = await start();
        server.onRun = () => {
          runs += 1;
          if (runs === killAt) running.kill('SIGKILL');
        };
        expect((await running.done).signal).toBe('SIGKILL');
      }
      server.onRun = undefined;
      await using last = await start();
      const { code, stderr } = await last.done;
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });

      // No unsafe step was executed twice.
      expect([...server.charges.values()].filter((count) => count > 1)).toEqual([]);

      // Every event was handled, and the journal says so.
      const journal = await readJournal(join(directory, 'journal'));
      expect(journal.map(({ run }) => run.event.id).sort()).toEqual([...ids].sort());
      expect(journal.filter(({ run }) => run.outcome === undefined)).toEqual([]);
      const done = journal.filter(({ run }) => run.outcome === 'done');
      for (const { run, steps } of done) {
        expect(steps.map(({ id, state }) => [id, state])).toEqual([
          ['charge', 'done'],
          ['receipt', 'done'],
        ]);
        expect([server.charges.get(run.event.id), server.receipts.has(run.event.id)]).toEqual([
          1,
          true,
        ]);
      }

      // What is not done was being called when the process ended: nobody knows whether it ran.
      const dead = journal.filter(({ run }) => run.outcome === 'dead');
      expect(done.length + dead.length).toBe(events);
      expect(dead.length).toBeLessThanOrEqual(3 * concurrency);
      for (const { run, steps } of dead) {
        expect(run.error).toMatchObject({ code: 'outcome-unknown', step: 'charge' });
        expect(steps).toMatchObject([{ id: 'charge', state: 'failed', attempts: 1 }]);
      }
      const letters = await lettersIn(join(directory, 'dead.jsonl'));
      expect(new Set(letters.map(({ run }) => run))).toEqual(
        new Set(dead.map(({ run }) => run.id)),
      );

      // Every run was logged, those that are done as well.
      const logged = (await readFile(join(directory, 'runs.jsonl'), 'utf8')).trim().split('\n');
      const loggedRuns = logged.map((line) => (JSON.parse(line) as { run: string }).run);
      expect(new Set(loggedRuns)).toEqual(new Set(journal.map(({ run }) => run.id)));
    },
  );
});

async function lettersIn(file: string): Promise<DeadLetter[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as DeadLetter);
}
