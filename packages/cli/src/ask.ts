import type { Context } from './context.js';

/** A question to whoever is at the terminal. */
export interface Question<Answer extends string> {
  /** What is shown before it; sanitized already. */
  readonly lines: readonly string[];
  /** The answers and their words. An empty line means the last one. */
  readonly answers: Readonly<Record<Answer, readonly string[]>>;
  readonly signal: AbortSignal;
}

/** Asks at the terminal; `undefined` if nobody answered. Ctrl-C interrupts the command. */
export async function ask<Answer extends string>(
  { terminal, stdin, interruptions }: Context,
  question: string,
  options: Question<Answer>,
): Promise<Answer | undefined> {
  try {
    return await terminal.ask(question, { ...options, stdin });
  } catch (error) {
    // The library reads the terminal in raw mode, so Ctrl-C is an error of its own, not a signal.
    if (error instanceof Error && error.name === 'ExitPromptError') interruptions.interrupt();
    return undefined;
  }
}
