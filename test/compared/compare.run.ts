import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import prettier from 'prettier';
import { expect, it } from 'vitest';
import { repository } from '../docs/blocks.ts';
import { createRoom } from '../docs/console/run.ts';
import { startDocumented } from '../docs/console/servers.ts';
import { JOBS, type Job } from './jobs.ts';
import { comparedPage, type DoneJob, type Outcome } from './page.ts';
import { installPeers, PROGRAMS, type Installed, type Program } from './programs.ts';

it('does every job with every program, and writes the page', async () => {
  const installed = await installPeers();
  const done: DoneJob[] = [];
  for (const job of JOBS) done.push(await doneJob(job, installed));
  const file = join(repository, 'docs/compared.md');
  const config = await prettier.resolveConfig(file);
  const page = comparedPage(done, installed.versions);
  writeFileSync(file, await prettier.format(page, { ...config, parser: 'markdown' }));
  expect(done).toHaveLength(JOBS.length);
});

async function doneJob(job: Job, { scripts }: Installed): Promise<DoneJob> {
  console.log(job.title);
  await using servers = await startDocumented([job.given, ...Object.values(job.ways)].join('\n'));
  const outcomes: [Program, Outcome][] = [];
  for (const name of PROGRAMS) {
    await using room = await createRoom(servers, scripts);
    // One that does not end is ended, with the code of `timeout`.
    const late = { lines: ['it did not end within a minute'], code: 124 };
    const [came = late] = await room.run([job.ways[name]], job.given ?? '').catch(() => []);
    outcomes.push([name, came]);
  }
  return { job, outcomes: Object.fromEntries(outcomes) as Record<Program, Outcome> };
}
