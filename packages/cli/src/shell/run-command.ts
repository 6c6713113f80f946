import { CommanderError } from 'commander';
import { usageError } from '../command-error.js';
import type { ConnectedServer, Context } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import { Interruptions } from '../interruptions.js';
import { mistakenWords } from '../mistaken-words.js';
import { readCommonOptions } from '../options.js';
import { createProgram } from '../program.js';
import { errorAsJson } from '../report-error.js';

/** Options that say how a server is reached and answered, which is settled. */
const SETTLED = {
  header: '--header',
  transport: '--transport',
  protocol: '--protocol',
  proxy: '--proxy',
  ca: '--ca',
  cert: '--cert',
  key: '--key',
  env: '--env',
  cwd: '--cwd',
  config: '--config',
  profile: '--profile',
  trace: '--trace',
  answer: '--answer',
  root: '--root',
  allowSampling: '--allow-sampling',
  yes: '--yes',
  quiet: '--quiet',
  verbose: '--verbose',
  color: '--no-color',
} as const;

/**
 * Runs a command of the command line on a server that is connected; its words name no server. What it
 * throws is to be reported; with `--json` it is on stdout, too.
 */
export async function runCommand(
  context: Context,
  server: ConnectedServer,
  { args, signal }: { args: readonly string[]; signal: AbortSignal },
): Promise<ExitCode> {
  const { terminal, env } = context;
  const interruptions = new Interruptions();
  if (signal.aborted) interruptions.end();
  signal.addEventListener('abort', () => interruptions.end(), { once: true });
  const requests: Context['requests'] = { credentials: 'none' };
  let exitCode: ExitCode = 0;
  const program = await createProgram({
    args,
    run: async (read, action) => {
      const [command] = read.commands;
      const settled = Object.entries(SETTLED).find(([name]) =>
        [read, command].some((each) => each?.getOptionValueSource(name) === 'cli'),
      );
      if (settled !== undefined) {
        throw usageError(`${settled[1]} holds for a whole session: give it to longwire shell`);
      }
      const { json, timeoutMs, deadlineMs } = readCommonOptions(read, env);
      const options = {
        ...context.options,
        json,
        ...(timeoutMs !== undefined && { timeoutMs }),
        ...(deadlineMs !== undefined && { deadlineMs }),
      };
      exitCode = await action({ ...context, options, interruptions, requests, connected: server });
    },
    writeOut: (text) => terminal.print(text.trimEnd()),
    writeErr: (text) => terminal.remark(text.trimEnd()),
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    const names = program.commands.map((each) => each.name());
    const failure = error instanceof CommanderError ? mistakenWords(error, { args, names }) : error;
    if (args.includes('--json')) {
      const isInterrupted = signal.aborted;
      const told = errorAsJson(failure, { ...context, requests, isInterrupted });
      terminal.json({ error: told }, { lines: true });
    }
    throw failure;
  }
}
