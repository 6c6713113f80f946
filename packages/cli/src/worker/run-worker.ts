import type { StartedWorker, WorkedCall, WorkerLog } from '@longwire/cluster';
import { CommandError, usageError } from '../command-error.js';
import type { Context } from '../context.js';
import { formatDuration } from '../durations.js';
import type { ExitCode } from '../exit-codes.js';
import { loadCluster } from '../load-cluster.js';
import { sanitizeLine } from '../sanitize.js';
import type { WorkerSettings } from './settings.js';

/** Runs calls until it is told to stop, and then lets those end that run. */
export async function runWorker(context: Context, settings: WorkerSettings): Promise<ExitCode> {
  const { terminal, options } = context;
  const worker = await start(context, settings);
  let isInterrupted = false;
  const { interruptions } = context;
  const release = interruptions.take(() => {
    if (isInterrupted) interruptions.insist();
    isInterrupted = true;
    interruptions.end();
  });
  try {
    const { queues } = worker;
    const { concurrency = 1 } = settings.options;
    if (options.json) terminal.json({ queues, concurrency }, { lines: true });
    else
      terminal.print(sanitizeLine(`Runs calls of ${queues.join(', ')}, ${concurrency} at a time`));
    terminal.remark('Ctrl-C ends it.');
    await interruptions.ended;
    const { running } = worker;
    if (running > 0)
      terminal.remark(`Waits for ${running} call${running === 1 ? '' : 's'} to end.`);
    return isInterrupted ? 130 : 0;
  } finally {
    await worker.close();
    release();
  }
}

async function start(context: Context, { url, options }: WorkerSettings): Promise<StartedWorker> {
  const { startWorker } = await loadCluster(context, 'longwire worker');
  try {
    const onCall = createCallPrinter(context);
    return await startWorker(url, { ...options, onCall, log: logTo(context) });
  } catch (error) {
    const { message } = error as Error;
    if (error instanceof TypeError || message.includes('npm install')) {
      throw usageError(message, { cause: error });
    }
    throw new CommandError(message, {
      code: 'connect-failed',
      certainty: 'not-sent',
      cause: error,
    });
  }
}

/** Prints a call that has ended, on one line. */
function createCallPrinter({ terminal, options }: Context): (call: WorkedCall) => void {
  const { colors } = terminal;
  return ({ queue, tool, principal, durationMs, error }) => {
    const time = new Date().toISOString();
    if (options.json) {
      const call = {
        time,
        queue,
        tool,
        principal,
        durationMs,
        ...(error !== undefined && { error }),
      };
      return terminal.json(call, { lines: true });
    }
    const line = sanitizeLine(
      `${tool} for ${principal}: ${error ?? 'done'}, ${formatDuration(durationMs)}`,
    );
    terminal.print(`${colors.dim(time)} ${error === undefined ? line : colors.yellow(line)}`);
  };
}

/** What fails is a remark; what is tried again, one of `--verbose`. */
function logTo({ terminal, redactor }: Context): WorkerLog {
  const remark = (given: unknown, message?: unknown): void => {
    const why = given instanceof Error ? `: ${given.message}` : '';
    terminal.remark(sanitizeLine(redactor.message(`${String(message ?? given)}${why}`)));
  };
  return {
    error: remark,
    warn: remark,
    debug: (given: unknown, message?: unknown) => {
      if (terminal.verbose) remark(given, message);
    },
  };
}
