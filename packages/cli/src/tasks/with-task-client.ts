import { ConnectError, type LongwireClient } from '@longwire/client';
import { usageError } from '../command-error.js';
import type { Context } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import type { ServerRequestOptions } from '../server-requests/options.js';
import { withClient } from '../session.js';
import type { Target } from '../target.js';
import { MODERN, taskSupportOf } from './task-support.js';

/**
 * As {@link withClient}, for what needs tasks. A command whose servers may ask connects in the older era,
 * where every tool can; a server that has tasks in the newest only is connected to in that.
 *
 * @throws LongwireError (usage) for a server without tasks.
 */
export async function withTaskClient(
  context: Context,
  word: string | undefined,
  action: (client: LongwireClient, target: Target) => Promise<ExitCode>,
  given: { mayAsk: ServerRequestOptions },
): Promise<ExitCode> {
  const { options, connected } = context;
  let lacking: string | undefined;
  const exitCode = await withClient(
    context,
    word,
    async (client, target) => {
      if (taskSupportOf(client) !== 'none') return await action(client, target);
      lacking = client.protocolVersion ?? 'unknown';
      return 0;
    },
    given,
  );
  if (lacking === undefined) return exitCode;
  const noTasks = usageError(`this server has no tasks (protocol ${lacking})`);
  const isSettled = connected !== undefined || options.protocol !== undefined || lacking >= MODERN;
  if (isSettled) throw noTasks;
  const modern: Context = { ...context, options: { ...options, protocol: MODERN } };
  try {
    return await withClient(
      modern,
      word,
      async (client, target) => {
        if (taskSupportOf(client) === 'none') throw noTasks;
        return await action(client, target);
      },
      given,
    );
  } catch (error) {
    throw error instanceof ConnectError ? noTasks : error;
  }
}
