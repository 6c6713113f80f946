import { randomUUID } from 'node:crypto';
import { DiskTaskStore } from '../../src/tasks/disk-task-store.ts';

/** What is said to be on disk. */
export interface Wrote {
  readonly taskId: string;
  readonly status: string;
}

/** Creates tasks and finishes every second one, until it is killed. */
const store = await DiskTaskStore.open(process.argv[2]!);
const tell = (wrote: Wrote): void => void process.send?.(wrote);

async function work(): Promise<never> {
  for (let at = 0; ; at++) {
    const taskId = randomUUID();
    const record = await store.create({
      taskId,
      principal: 'ada',
      tool: 'write',
      era: 'legacy',
      status: 'working',
      ttlMs: 3_600_000,
    });
    if (record === 'too-many') throw new Error('full');
    tell({ taskId, status: 'working' });
    if (at % 2 === 1) continue;
    const progress = { progress: at };
    const moved = await store.update('ada', taskId, { version: 1, changes: { progress } });
    if (typeof moved !== 'object') throw new Error('lost');
    const result = { content: [{ type: 'text', text: taskId }] };
    const changes = { status: 'completed', result } as const;
    const ended = await store.update('ada', taskId, { version: moved.version, changes });
    if (typeof ended !== 'object') throw new Error('lost');
    tell({ taskId, status: 'completed' });
  }
}

await Promise.all([work(), work(), work()]);
