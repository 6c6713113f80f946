/**
 * A server whose tool writes for some seconds, as a process of its own: by the kit, with tasks on disk.
 * The file of runs says what the tool did. Argument: `{ port, runs, tasks }` as JSON.
 */
import { serve } from '@longwire/server';
import { DiskTaskStore } from '@longwire/server/disk-tasks';
import { writer } from './writer.mjs';

const { port, runs, tasks } = JSON.parse(process.argv[2] ?? '');

const { url } = await serve({
  create: () => writer(runs),
  port,
  // Over HTTP+SSE and in 2025-11-25 the client decides; in 2026-07-28 this does.
  tasks: { write: { task: 'optional', auto: { afterMs: 200 }, pollIntervalMs: 500 } },
  stores: { tasks: await DiskTaskStore.open(tasks) },
  // It has no time for a call that runs.
  stop: { delayMs: 0, graceMs: 100 },
  signals: true,
});

process.on('disconnect', () => process.exit(1));
process.send?.({ url });
process.channel?.unref();
