import type { Context } from '../context.js';
import type { Trace } from './trace.js';

/**
 * The trace of a command: in a file, or shown as it happens where the name of the file is empty.
 *
 * @throws LongwireError (usage) for a file that cannot be made.
 */
export async function openTrace(
  file: string,
  context: Pick<Context, 'cwd' | 'terminal' | 'redactor'>,
): Promise<Trace> {
  if (file === '') return new (await import('./printed-trace.js')).PrintedTrace(context);
  return await (await import('./recorded-trace.js')).RecordedTrace.create(file, context);
}
