import { resolve } from 'node:path';
import { LongwireError } from '@longwire/client';
import type { CutRun, Taken, WorkflowRunner } from '@longwire/workflow';
import type { ExitCode } from '../exit-codes.js';
import type { AddCommand, Context } from '../context.js';
import { collect } from '../options.js';
import { closeClients, connectClients } from '../session.js';
import { createServerClient } from '../target-client.js';
import type { EventLine, RunOptions } from '../workflow/inputs.js';

/** `longwire run <file>` */
export const addRun: AddCommand = (program, run) => {
  program
    .command('run')
    .description('run a workflow: events of servers lead to calls of tools')
    .argument('<file>', 'the workflow, YAML or JSON')
    .option(
      '--server <name=url>',
      'a server, or the name of one in longwire.json (repeatable)',
      collect,
    )
    .option('--journal <directory>', 'write down what is done, and continue after a crash')
    .option('--dry-run', 'print what would be called, and call nothing')
    .option('--log <file>', 'add a line of JSON for every run')
    .option('--dead-letter <file>', 'add a line of JSON for every event that could not be handled')
    .option(
      '--events <file>',
      'read events, or dead letters, from these files (lines of JSON), and end when all are handled',
    )
    .addHelpText(
      'after',
      `
Goes on until Ctrl-C, also over losses of a connection; with --events, until all
is handled. Runs that have begun may then finish for 10 s; a second Ctrl-C ends
at once. Commands that the file names under "servers" are started. The
journal and both files keep what events, arguments and results hold. With
--json, one line a run.

Example:
  $ longwire run alerts.yaml --server market=http://127.0.0.1:3001/sse --journal ./journal`,
    )
    .action((file: string, options: RunOptions) =>
      run((context) => runWorkflow(context, file, options)),
    );
};

async function runWorkflow(context: Context, file: string, options: RunOptions): Promise<ExitCode> {
  try {
    return await runFile(context, file, options);
  } catch (error) {
    const { reportProblems } = await import('../workflow/display.js');
    return reportProblems(context, error);
  }
}

async function runFile(context: Context, file: string, options: RunOptions): Promise<ExitCode> {
  const { createWorkflow, LineFile } = await import('@longwire/workflow');
  const { createRunPrinter, summary, unmatchedRemark } = await import('../workflow/display.js');
  const { readEvents, readWorkflow, serversOf } = await import('../workflow/inputs.js');
  const { terminal, interruptions, cwd } = context;
  const { signal } = interruptions;
  const path = (name: string): string => resolve(cwd, name);
  const workflow = await readWorkflow(context, file);
  const events =
    options.events === undefined ? undefined : await readEvents(context, workflow, options.events);
  const servers = await serversOf(context, workflow, options.server ?? []);
  const clients = await Promise.all(
    // A server that sends events is awaited without limit.
    Object.entries(servers).map(([name, server]) =>
      createServerClient(context, server, { name, retry: { maxAttempts: Infinity } }),
    ),
  );
  const logFile = options.log === undefined ? undefined : new LineFile(path(options.log));
  const print = createRunPrinter(context);
  try {
    await connectClients(context, clients);
    await using runner = createWorkflow(workflow, {
      servers: Object.fromEntries(clients.map((client) => [client.name, client])),
      ...(options.journal !== undefined && { journal: path(options.journal) }),
      ...(options.deadLetter !== undefined && { deadLetterFile: path(options.deadLetter) }),
      dryRun: options.dryRun ?? false,
      log: async (run) => {
        print(run);
        if (options.dryRun !== true) await logFile?.add(run);
      },
    });
    const cut: CutRun[] = [];
    let closed: Promise<void> | undefined;
    const drain = (): void => {
      const { queued, running } = runner.stats();
      if (queued + running > 0) terminal.remark(drainRemark);
      closed = runner.close({ drainMs, onCut: (run) => cut.push(run) });
      // It is awaited at the end.
      closed.catch(() => {});
    };
    signal.addEventListener('abort', drain, { once: true });
    if (signal.aborted) drain();
    await runner.start();
    terminal.remark(`Running ${workflow.name}; Ctrl-C ends it.`);
    if (events === undefined) await runner.closed;
    else {
      const unmatched = await Promise.race([emitAll(runner, events), runner.closed.then(() => 0)]);
      if (unmatched > 0) terminal.remark(unmatchedRemark(unmatched, events.length));
    }
    await (closed ?? runner.stop());
    if (cut.length > 0) terminal.remark(cutRemark(cut, options.journal !== undefined));
    terminal.remark(summary(runner.stats()));
    return signal.aborted ? 130 : 0;
  } finally {
    await closeClients(clients);
  }
}

/** How long runs may take to finish after Ctrl-C, in milliseconds. */
const drainMs = 10_000;
const drainRemark = 'Finishing the runs that have begun, for 10 s at most; Ctrl-C ends at once.';

function cutRemark({ length }: readonly CutRun[], hasJournal: boolean): string {
  const runs = length === 1 ? '1 run' : `${length} runs`;
  const then = hasJournal ? 'the next run with this journal resumes' : 'a dead letter has';
  return `${runs} did not finish; ${then} ${length === 1 ? 'it' : 'them'}.`;
}

/** How many runs may wait before no more events are pushed. */
const maxWaiting = 1000;

/**
 * Pushes events no faster than they are handled, and waits for the last. Returns how many matched no
 * trigger.
 */
async function emitAll(runner: WorkflowRunner, events: readonly EventLine[]): Promise<number> {
  const take = (event: EventLine): Promise<Taken> =>
    'event' in event ? runner.retry(event) : runner.push(event);
  let unmatched = 0;
  try {
    for (let start = 0; start < events.length; start += maxWaiting) {
      const taken = await Promise.all(events.slice(start, start + maxWaiting).map(take));
      unmatched += taken.filter(({ triggers }) => triggers === 0).length;
      await runner.idle();
    }
  } catch (error) {
    // The exit code reports an interruption.
    if (!(error instanceof LongwireError) || error.code !== 'closed') throw error;
    await runner.closed;
  }
  return unmatched;
}
