import type { Context } from '../context.js';
import { exitCodeOf, type ExitCode } from '../exit-codes.js';
import { reportError, tellInterruption } from '../report-error.js';
import type { LineReader } from './line-reader.js';

/** The result of a line: an exit code, or the end of the conversation. */
export type Step = ExitCode | 'quit';

/** What becomes of lines. */
export interface PromptLoopOptions {
  /** Runs one line. */
  answer: (line: string, signal: AbortSignal) => Promise<Step>;
  /** The line that leaves, for people. */
  quitWord: string;
  /** Which line of a pipe decides the exit code. Default: the last. */
  exitCode?: 'last' | 'first-failure';
}

/**
 * Reads lines and runs them, until the user quits or the input ends. An error is reported and does not
 * end the conversation. Ctrl-C stops what a line started, and its calls on the servers; a second one
 * quits, also at an idle prompt.
 *
 * With a pipe as input, all lines run, and one of them decides the exit code.
 */
export async function promptLoop(
  context: Context,
  reader: LineReader,
  options: PromptLoopOptions,
): Promise<ExitCode> {
  const { terminal, interruptions, stdin } = context;
  const { quitWord, exitCode: which = 'last' } = options;
  const isFirst = which === 'first-failure';
  let exitCode: ExitCode = 0;
  let interruptedBefore = false;
  try {
    while (!interruptions.signal.aborted) {
      const line = await reader.next();
      if (line.kind === 'end') return stdin.isTTY === true ? 0 : exitCode;
      if (line.kind === 'interrupted') {
        if (line.cleared) {
          interruptedBefore = false;
          continue;
        }
        if (interruptedBefore || interruptions.signal.aborted) return 130;
        interruptedBefore = true;
        terminal.remark(`Ctrl-C again leaves, and so does ${quitWord}.`);
        continue;
      }
      interruptedBefore = false;
      if (line.text.trim() === '') continue;
      const step = await attempt(context, (signal) => options.answer(line.text.trim(), signal));
      if (step === 'quit') return isFirst && stdin.isTTY !== true ? exitCode : 0;
      if (!isFirst || exitCode === 0) exitCode = step;
    }
    return 130;
  } finally {
    reader.close();
  }
}

/** Runs one turn with a signal of its own, which the first Ctrl-C aborts. */
async function attempt(
  context: Context,
  turn: (signal: AbortSignal) => Promise<Step>,
): Promise<Step> {
  const { terminal, interruptions } = context;
  const stop = new AbortController();
  const release = interruptions.take(() => {
    if (interruptions.signal.aborted) interruptions.insist();
    else if (stop.signal.aborted) interruptions.end();
    else stop.abort();
  });
  try {
    return await turn(AbortSignal.any([interruptions.signal, stop.signal]));
  } catch (error) {
    const code = stop.signal.aborted ? 130 : exitCodeOf(error);
    if (code === 130) tellInterruption(terminal, 'Stopped', error);
    else reportError(error, code, context);
    return code;
  } finally {
    release();
  }
}
