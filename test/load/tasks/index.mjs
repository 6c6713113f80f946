/**
 * `npm run load -- tasks`: very many tasks on one server, polled by clients that do not keep to
 * `pollIntervalMs`, in both eras and with both stores.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Child } from '../../../bench/calls/child.mjs';

const ERAS = ['2026-07-28', '2025-11-25'];
const USERS = 100;
/** How often stores drop what has expired. */
const SWEEP_MS = 60_000;
const STEP_MS = 600_000;

/** @param {string[]} args */
export function readTasksArguments(args) {
  const { values } = parseArgs({
    args,
    options: {
      tasks: { type: 'string', default: '10000' },
      running: { type: 'string', default: '1000' },
      kept: { type: 'string', default: '120' },
      era: { type: 'string', multiple: true, default: ERAS },
    },
  });
  const [tasks, running] = [Number(values.tasks), Number(values.running)];
  const ttlMs = Number(values.kept) * 1_000;
  if (!(running >= USERS) || !(tasks >= running)) {
    throw new TypeError(`--running is a number from ${USERS} on, and --tasks not below it`);
  }
  if (!(ttlMs > 0)) throw new TypeError(`--kept: not a number of seconds: ${values.kept}`);
  const unknown = values.era.find((era) => !ERAS.includes(era));
  if (unknown !== undefined) throw new TypeError(`--era: not ${ERAS.join(' or ')}: ${unknown}`);
  return { tasks, running, ttlMs, eras: values.era };
}

/**
 * @param {{ tasks: number, running: number, ttlMs: number, eras: string[] }} request
 * @param {import('../report.mjs').Report} report
 */
export async function tasks({ eras, ...request }, report) {
  for (const era of eras) {
    for (const store of ['memory', 'disk']) await trial({ ...request, era, store }, report);
  }
}

/**
 * @param {{ tasks: number, running: number, ttlMs: number, era: string, store: string }} request
 * @param {import('../report.mjs').Report} report
 */
async function trial({ tasks, running, ttlMs, era, store }, report) {
  report.title(
    `${tasks} tasks, ${running} at once, ${era}, in ${store === 'disk' ? 'a folder' : 'memory'}`,
  );
  const folder = store === 'disk' ? await mkdtemp(join(tmpdir(), 'longwire-load-')) : undefined;
  const most = tasks + running;
  const limits = { maxTasks: most, maxPerPrincipal: most };
  const options = JSON.stringify({ folder, ttlMs, ...limits });
  const server = new Child(new URL('./server.mjs', import.meta.url), [options], {
    execArgv: ['--expose-gc'],
  });
  try {
    const { url } = await server.ask(undefined, STEP_MS);
    const work = new URL('./clients.mjs', import.meta.url);
    const clients = new Child(work, [JSON.stringify({ url, era, users: USERS })]);
    try {
      // What is made once is made.
      await clients.ask({ action: 'run', tasks: running, running }, STEP_MS);
      const before = await server.ask('measure', STEP_MS);
      const told = await clients.ask({ action: 'run', tasks, running }, STEP_MS);
      report.loopDelay('while they run', await server.ask('delay', STEP_MS));
      const during = await server.ask('measure', STEP_MS);
      report.line('time', `${(told.tookMs / 1000).toFixed(1)} s`);
      report.line(
        'polls',
        `${told.polls}, ${Math.round(told.polls / (told.tookMs / 1000))} a second`,
      );
      const cpuMs = (during.cpuMs - before.cpuMs) / tasks;
      report.line('CPU of the server, polls included', `${cpuMs.toFixed(2)} ms a task`);
      report.perTask(before, during, tasks);
      report.promise(
        told.right === tasks,
        `every task has its own result (${told.right} of ${tasks})`,
      );
      report.promise(during.runs === tasks + running, 'each ran once');
      report.promise(
        told.seen === 0 && told.tried > 0,
        `nobody sees another's (${told.tried} tries)`,
      );
      // In the legacy era each session has one, too.
      const sessions = era === '2025-11-25' ? USERS : 0;
      report.promise(during.servers === sessions, 'no server of a task is left');
      // What nobody asks for is dropped once a minute: of many tasks that is seen.
      await delay(ttlMs + (tasks >= 1_000 ? SWEEP_MS : 0) + 1_000);
      const { gone, asked } = await clients.ask({ action: 'gone' }, STEP_MS);
      report.promise(gone === asked && asked > 0, `what has expired is gone (${gone} of ${asked})`);
      const after = await server.ask('measure', STEP_MS);
      report.promise(after.servers === 0, 'no server is left');
      report.memoryReturns({ before, during, after });
    } finally {
      await clients.close();
    }
  } finally {
    await server.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}
