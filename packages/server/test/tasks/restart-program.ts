import { serve } from '../../src/index.ts';
import { DiskTaskStore } from '../../src/tasks/disk-task-store.ts';
import { taskServer, type TaskWorld } from './task-server.ts';

/** Serves the tools of the tests, with tasks on disk, until it is killed. */
const [, , folder = ''] = process.argv;
const tasks = await DiskTaskStore.open(folder);
const world: TaskWorld = { made: [], said: [], open: () => {} };
const { url } = await serve({
  create: () => taskServer(world, new Promise(() => {})),
  tasks: { '*': 'required' },
  stores: { tasks },
});
process.send?.(url);
