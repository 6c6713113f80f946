import { resolve } from 'node:path';
import type { LongwireClient } from '@longwire/client';
import { trustedHintsOf } from '@longwire/client/internal';
import type { Check } from '@longwire/recording';
import { ask } from '../ask.js';
import { openServers, serversOf, type CheckedServer } from '../checks/checked-servers.js';
import { printOutcome, printSummary, toDocument } from '../checks/print-outcome.js';
import { readChecks, readRecordedChecks } from '../checks/read-checks.js';
import { runCheck, type CheckOutcome } from '../checks/run-check.js';
import { usageError } from '../command-error.js';
import type { AddCommand, Context } from '../context.js';
import { exitCodeOf, type ExitCode } from '../exit-codes.js';
import { sanitizeLine, visibleJson } from '../sanitize.js';
import { closeClients } from '../session.js';

interface CheckOptions {
  yes?: boolean;
}

/** `longwire check <file> [target]` */
export const addCheck: AddCommand = (program, run) => {
  program
    .command('check')
    .description('run saved calls, and check their answers')
    .usage('<file> [target]')
    .argument('<file>', 'saved calls, as the page of `longwire dash` saves them, or a recording')
    .argument('[target]', 'the server instead of that in the file; or -- and a command')
    .option('--yes', 'ask nothing before calls that may change things')
    .addHelpText(
      'after',
      `
A recording (.ndjson) is run again: each call of a tool is to be answered as it
was.

Exit codes: 0 all are answered as expected; otherwise the first that is not
decides: 1 for another answer, or the code of its failure.

Examples:
  $ longwire check longwire.checks.json
  $ longwire check longwire.checks.json --yes -- node server.js
  $ longwire check monday.ndjson http://127.0.0.1:3001 --json`,
    )
    .action((file: string, target: string | undefined, options: CheckOptions) =>
      run((context) => checkAll(context, { file, target, ...options })),
    );
};

async function checkAll(
  context: Context,
  { file, target, yes = false }: CheckOptions & { file: string; target: string | undefined },
): Promise<ExitCode> {
  const { terminal, options } = context;
  const checks = await checksIn(context, file);
  const clients: LongwireClient[] = [];
  try {
    const servers = await openServers(context, await serversOf(context, checks, target), clients);
    if (!yes) await confirm(context, checks, servers);
    const outcomes: CheckOutcome[] = [];
    for (const check of checks) {
      terminal.showLive(`${outcomes.length + 1}/${checks.length} ${check.tool}`);
      const outcome = await runCheck(context, serverOf(servers, check), check);
      outcomes.push(outcome);
      if (!options.json) printOutcome(context, outcome);
    }
    if (options.json) terminal.json(toDocument(context, outcomes));
    else printSummary(context, outcomes);
    const bad = outcomes.find(({ verdict }) => verdict.outcome !== 'held');
    if (bad === undefined) return 0;
    return bad.failure === undefined ? 1 : exitCodeOf(bad.failure.error);
  } finally {
    terminal.stopLive();
    await closeClients(clients);
  }
}

/** The checks of a file. @throws LongwireError (usage) if there is none. */
async function checksIn(context: Context, file: string): Promise<readonly Check[]> {
  const { cwd, terminal, interruptions } = context;
  const path = resolve(cwd, file);
  const shown = sanitizeLine(file);
  if (!file.endsWith('.ndjson')) {
    const checks = readChecks(path, shown);
    if (checks.length === 0) throw usageError(`${shown} has no checks`, { code: 'config' });
    return checks;
  }
  const { checks, leftOut } = await readRecordedChecks(path, shown, interruptions.signal);
  if (leftOut > 0) {
    terminal.remark(
      `Calls that are left out, since they were not answered or are not kept as a whole: ${leftOut}.`,
    );
  }
  if (checks.length === 0) throw usageError(`${shown} has no calls of tools that can be run again`);
  return checks;
}

/**
 * Asks once about all calls that may change things: those of tools that are not known to only read.
 *
 * @throws LongwireError (usage) where nobody says yes. Nothing was called then.
 */
async function confirm(
  context: Context,
  checks: readonly Check[],
  servers: ReadonlyMap<string, CheckedServer>,
): Promise<void> {
  const unsafe = checks.filter((check) => {
    const server = serverOf(servers, check);
    const tool = 'error' in server ? undefined : server.tools.get(check.tool);
    if (tool === undefined || 'error' in server) return false;
    return trustedHintsOf(server.client, tool)?.readOnlyHint !== true;
  });
  const [first] = unsafe;
  if (first === undefined) return;
  const what =
    unsafe.length === 1
      ? `the call of ${visibleJson(first.tool)} may change things`
      : `${unsafe.length} of the calls may change things, as that of ${visibleJson(first.tool)}`;
  const { terminal, stdin, interruptions } = context;
  if (terminal.canAsk(stdin)) {
    const lines = unsafe.map(
      ({ server, tool, arguments: args = {} }) =>
        `${visibleJson(server)} ${visibleJson(tool)} ${visibleJson(args)}`,
    );
    const { signal } = interruptions;
    const answers = { yes: ['y', 'yes'], no: ['n', 'no'] } as const;
    const question = 'These calls may change things. Run them? (y)es, (N)o';
    if ((await ask(context, question, { lines, answers, signal })) === 'yes') return;
    signal.throwIfAborted();
  }
  throw usageError(`${what}: nothing was called; --yes runs all`);
}

function serverOf(servers: ReadonlyMap<string, CheckedServer>, { server }: Check): CheckedServer {
  const found = servers.get(server);
  if (found === undefined) throw new Error(`no server was opened for ${server}`);
  return found;
}
