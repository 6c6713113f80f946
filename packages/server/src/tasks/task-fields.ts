import type { JSONRPCResultResponse } from '@modelcontextprotocol/server';
import { PROGRESS_META_KEY } from './task-progress.js';
import type { TaskRecord } from './task-store.js';

/** What is said of a task in both eras, in the same words. */
export function taskFields({
  taskId,
  status,
  statusMessage,
  createdAt,
  lastUpdatedAt,
  progress,
}: TaskRecord): JSONRPCResultResponse['result'] {
  return {
    taskId,
    status,
    ...(statusMessage !== undefined && { statusMessage }),
    createdAt: new Date(createdAt).toISOString(),
    lastUpdatedAt: new Date(lastUpdatedAt).toISOString(),
    ...(progress !== undefined && { _meta: { [PROGRESS_META_KEY]: progress } }),
  };
}
