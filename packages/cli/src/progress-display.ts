import type { Progress } from '@modelcontextprotocol/client';
import cliProgress from 'cli-progress';
import yoctoSpinner from 'yocto-spinner';
import { sanitizeLine } from './sanitize.js';
import type { Terminal } from './terminal.js';

/** Something that takes its time, shown while it does. */
export interface ProgressDisplay {
  update(progress: Progress): void;
  stop(): void;
}

/** A spinner whose text may change. */
export interface SpinnerDisplay extends ProgressDisplay {
  /** Changes the text; false if the spinner was stopped meanwhile and is to be shown anew. */
  say(text: string): boolean;
}

/** What is shown of a server's message, so that the line stays one. */
const maxMessageLength = 60;

/** A spinner with a text while something is waited for; nothing where nothing can be drawn. */
export function showSpinner(terminal: Terminal, text: string): SpinnerDisplay {
  if (!terminal.live) {
    return { update: () => undefined, say: () => false, stop: () => undefined };
  }
  const stream = terminal.stderr as NodeJS.WriteStream;
  // Signals are the command's own business: a spinner must not end the process.
  const spinner = yoctoSpinner({ text, stream, handleSignals: false });
  terminal.setLive({ stop: () => void spinner.stop() });
  spinner.start();
  const say = (words: string): boolean => {
    if (spinner.isSpinning) spinner.text = words;
    return spinner.isSpinning;
  };
  return {
    say,
    update: (progress) => void say(`${text} ${describeProgress(progress)}`.trimEnd()),
    stop: () => void spinner.stop(),
  };
}

/**
 * The progress of a call: a spinner until the server says how far it is, then a bar; a count where
 * it gives no total. Not on a terminal, each report is a line with `--verbose` and else nothing.
 */
export function showProgress(terminal: Terminal, label: string): ProgressDisplay {
  if (!terminal.live) {
    return {
      update: (progress) => terminal.detail(`${label}: ${describeProgress(progress)}`),
      stop: () => undefined,
    };
  }
  const spinner = showSpinner(terminal, label);
  let bar: cliProgress.SingleBar | undefined;
  const stop = (): void => {
    spinner.stop();
    bar?.stop();
    bar = undefined;
  };
  return {
    stop,
    update(progress) {
      if (!terminal.live) return;
      const { progress: done, total } = progress;
      if (typeof total !== 'number' || total <= 0) return spinner.update(progress);
      const message = messageOf(progress);
      if (bar === undefined) {
        spinner.stop();
        bar = startBar(terminal, label, total, done, message);
        terminal.setLive({ stop });
      }
      bar.setTotal(total);
      bar.update(done, { message });
    },
  };
}

/** How far it is in a few characters: `3/10 fetching`. */
export function describeProgress(progress: Progress): string {
  const { progress: done, total } = progress;
  const count = typeof total === 'number' ? `${short(done)}/${short(total)}` : short(done);
  return `${count} ${messageOf(progress)}`.trimEnd();
}

function startBar(
  terminal: Terminal,
  label: string,
  total: number,
  done: number,
  message: string,
): cliProgress.SingleBar {
  const bar = new cliProgress.SingleBar(
    {
      format: `${label} {bar} {percentage}% {message}`,
      barsize: 24,
      barCompleteChar: '\u2588',
      barIncompleteChar: '\u2591',
      stream: terminal.stderr,
      hideCursor: true,
      clearOnComplete: true,
      linewrap: true,
      fps: 20,
      gracefulExit: false,
    },
    cliProgress.Presets.shades_classic,
  );
  bar.start(total, done, { message });
  return bar;
}

function messageOf({ message }: Progress): string {
  return typeof message === 'string' ? sanitizeLine(message, maxMessageLength) : '';
}

function short(value: number): string {
  return typeof value === 'number' ? String(Number(value.toFixed(2))) : '?';
}
