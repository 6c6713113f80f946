import type { TaskState } from '@longwire/client';
import { formatDuration } from '../durations.js';
import { describeProgress } from '../progress.js';
import { sanitizeLine } from '../sanitize.js';
import type { Terminal } from '../terminal.js';

/** The status of a task in words for people. */
const STATUS_WORDS: Readonly<Record<TaskState['status'], string>> = {
  working: 'working',
  input_required: 'waits for an answer',
  completed: 'completed',
  failed: 'failed',
  cancelled: 'cancelled',
};

/** What a task is, in a word or a few. */
export function statusWords({ status }: Pick<TaskState, 'status'>): string {
  return STATUS_WORDS[status];
}

/** Prints how a task is, for people. */
export function printTask(terminal: Terminal, state: TaskState): void {
  const { taskId, statusMessage, progress, createdAt, lastUpdatedAt, ttlMs } = state;
  const rows: [string, string | undefined][] = [
    ['task', taskId],
    ['status', statusWords(state)],
    ['says', statusMessage],
    ['progress', progress && describeProgress(progress)],
    ['made', createdAt],
    ['changed', lastUpdatedAt],
    ['kept', ttlMs === null ? 'as long as its server wants' : `for ${formatDuration(ttlMs)}`],
  ];
  for (const [label, value] of rows) {
    if (value === undefined || value === '') continue;
    terminal.print(`${terminal.colors.dim(label.padEnd(10))}${sanitizeLine(value, 500)}`);
  }
}
