import { CommanderError, type Command } from 'commander';
import type { Action, Context } from './context.js';
import { loadWideText } from './display-width.js';
import { readEnvironment } from './environment.js';
import { exitCodeOf, type ExitCode } from './exit-codes.js';
import { Interruptions } from './interruptions.js';
import { checkNetworkOptions } from './network.js';
import { readCommonOptions, withBareTrace } from './options.js';
import { createProgram } from './program.js';
import { mistakenWords } from './mistaken-words.js';
import { Redactor } from './redact.js';
import { errorAsJson, reportError } from './report-error.js';
import { sanitizeLine } from './sanitize.js';
import { commandTarget, splitCommand } from './server-command.js';
import { flushed, isReaderGone, type Input, type Output } from './streams.js';
import { Terminal } from './terminal.js';

/** As long as a timer may take; what it does is nothing. */
const STAYING_MS = 2 ** 31 - 1;

/** What the command is given instead of the process. */
export interface MainOptions {
  /** The words after `longwire`. */
  args: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  stdin: Input;
  stdout: Output;
  stderr: Output;
  /** Where `.env` and files are looked for. */
  cwd: string;
  /** The file that runs this command, to start it again. Default: it cannot be. */
  bin?: string;
  /** Given a listener to call for every Ctrl-C. The second call ends the command at once. */
  onInterrupt?: (listener: () => void) => void;
  /** Ends the command in good order, whatever it is doing; the exit code is 130. */
  signal?: AbortSignal;
}

/**
 * Runs one command and says what to end the process with. It never ends the process itself, and
 * leaves nothing open, unless a second interruption made it leave early.
 */
export async function main(options: MainOptions): Promise<ExitCode> {
  const { env, stdin, stdout, stderr, cwd } = options;
  const { args: words, command } = splitCommand(options.args);
  const args = withBareTrace(words);
  const redactor = new Redactor();
  const interruptions = new Interruptions();
  options.onInterrupt?.(() => interruptions.interrupt());
  options.signal?.addEventListener('abort', () => interruptions.end(), { once: true });
  if (options.signal?.aborted === true) interruptions.end();
  const requests: Context['requests'] = { credentials: 'none' };
  let terminal = new Terminal({ stdout, stderr, redactor, env });
  let exitCode: ExitCode = 0;

  // Where results cannot go, there is nothing left to do.
  let outputError: NodeJS.ErrnoException | undefined;
  const onOutputError = (error: Error): void => {
    outputError ??= error;
    interruptions.end();
  };
  // Remarks that nobody reads are no loss.
  const onRemarkError = (): void => undefined;
  stdout.on('error', onOutputError);
  stderr.on('error', onRemarkError);

  const run = async (program: Command, action: Action): Promise<void> => {
    const common = readCommonOptions(program, env);
    const environment = readEnvironment({ env, cwd });
    redactor.add(environment.apiKey);
    redactor.add(environment.anthropicApiKey);
    redactor.add(environment.anthropicAuthToken);
    for (const [name, value] of Object.entries(common.headers)) redactor.addHeader(name, value);
    for (const [name, value] of Object.entries(common.variables)) redactor.addVariable(name, value);
    redactor.addCommand(command ?? []);
    checkNetworkOptions({ options: common, env, cwd, redactor });
    terminal = new Terminal({ stdout, stderr, redactor, env, ...common });
    const trace =
      common.trace === undefined
        ? undefined
        : await (
            await import('./trace/open-trace.js')
          ).openTrace(common.trace, { cwd, terminal, redactor });
    const context: Context = {
      options: common,
      environment,
      env,
      command: command && commandTarget(command, { options: common, cwd }),
      terminal,
      redactor,
      interruptions,
      stdin,
      cwd,
      bin: options.bin,
      requests,
      trace,
    };
    if (!common.json || terminal.live) await loadWideText();
    try {
      exitCode = await action(context);
    } finally {
      await trace?.close();
    }
  };
  const program = await createProgram({
    args,
    run,
    writeOut: (text) => stdout.write(text),
    writeErr: (text) => stderr.write(text),
  });

  const work = async (): Promise<ExitCode> => {
    try {
      await program.parseAsync([...args], { from: 'user' });
    } catch (error) {
      const isInterrupted = interruptions.signal.aborted;
      const isHelp = error instanceof CommanderError && error.code.startsWith('commander.help');
      const isVersion = error instanceof CommanderError && error.exitCode === 0;
      const names = program.commands.map((each) => each.name());
      const failure =
        error instanceof CommanderError ? mistakenWords(error, { args, names }) : error;
      if (isVersion) exitCode = 0;
      else exitCode = isInterrupted ? 130 : exitCodeOf(failure);
      if (outputError === undefined && exitCode !== 0) {
        if (!isHelp) reportError(failure, exitCode, { terminal, requests });
        const document = { error: errorAsJson(failure, { redactor, requests, isInterrupted }) };
        // The words may be wrong before they could be read.
        if (args.includes('--json')) terminal.json(document, { lines: true });
      }
    }
    await Promise.all([flushed(stdout), flushed(stderr)]);
    if (outputError === undefined) return exitCode;
    // The reader of a pipe may leave early (`| head`): that is no failure.
    if (isReaderGone(outputError)) return 0;
    terminal.error(`error: the output could not be written: ${sanitizeLine(outputError.message)}`);
    await flushed(stderr);
    return 1;
  };
  // What is waited for may hold nothing open: a server that offers no stream is watched all the same.
  const staying = setInterval(() => {}, STAYING_MS);
  const insisted = interruptions.insisted.then((): ExitCode => 130);
  const code = await Promise.race([work(), insisted]);
  clearInterval(staying);
  terminal.stopLive();
  stdout.off('error', onOutputError);
  stderr.off('error', onRemarkError);
  return code;
}
