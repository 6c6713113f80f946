import type { AddCommand, Context } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import type { WrittenWorker } from '../worker/settings.js';

/** `longwire worker PROGRAM` */
export const addWorker: AddCommand = (program, run) => {
  program
    .command('worker')
    .description('run the heavy tools of a cluster, outside of its nodes')
    .argument('<program>', 'a module that exports create, and queues, as serve is given them')
    .option('--redis <url>', 'the Redis of the cluster (default: REDIS_URL)')
    .option('--concurrency <number>', 'calls of each queue at a time (default: 1)')
    .option('--mount <path>', 'the prefix below which the nodes serve (default: none)')
    .option('--silence <duration>', 'after which it counts as dead (default: 15s)')
    .addHelpText(
      'after',
      `
It runs the calls of the queues that have worker: true. A call whose worker died
ends with an unknown outcome, or runs again elsewhere if its tool is safe.
A tool that keeps its process busy without a pause needs a longer --silence.
The program may export redisOptions: what its nodes give to redis(url, options).
SIGTERM and Ctrl-C let calls end; a second Ctrl-C does not.

Example:
  $ longwire worker program.js --redis redis://127.0.0.1:6379 --concurrency 4`,
    )
    .action((file: string, options: WrittenWorker) =>
      run((context) => worker(context, file, options)),
    );
};

async function worker(context: Context, file: string, options: WrittenWorker): Promise<ExitCode> {
  const { readSettings } = await import('../worker/settings.js');
  const settings = await readSettings(file, options, context);
  const { runWorker } = await import('../worker/run-worker.js');
  return runWorker(context, settings);
}
