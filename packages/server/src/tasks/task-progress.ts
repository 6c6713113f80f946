import type { JSONRPCRequest } from '@modelcontextprotocol/server';
import type { TaskProgress } from './task-store.js';

/** The token of calls whose clients ask for no progress: their tasks tell it all the same. */
export const OWN_TOKEN = 'longwire:task';

/** The progress of a task as numbers, in the `_meta` of the task. */
export const PROGRESS_META_KEY = 'longwire/progress';

/** A call that asks for progress, whether or not its client does. */
export function askingForProgress(call: JSONRPCRequest): JSONRPCRequest {
  const meta = call.params?._meta;
  if (meta?.progressToken !== undefined) return call;
  return { ...call, params: { ...call.params, _meta: { ...meta, progressToken: OWN_TOKEN } } };
}

/** What a progress notification says; `undefined` where it says nothing that can be used. */
export function progressOf(params: Readonly<Record<string, unknown>>): TaskProgress | undefined {
  const { progress, total, message } = params;
  if (typeof progress !== 'number' || !Number.isFinite(progress)) return undefined;
  return {
    progress,
    ...(typeof total === 'number' && Number.isFinite(total) && { total }),
    ...(typeof message === 'string' && { message }),
  };
}

/** Progress for people: its message, or `30 %`, `3 of 10`, `3`. */
export function statusMessageOf({ progress, total, message }: TaskProgress): string {
  if (message !== undefined) return message;
  if (total === undefined) return `${progress}`;
  return total === 100 || total === 1
    ? `${Math.round((progress / total) * 100)} %`
    : `${progress} of ${total}`;
}
