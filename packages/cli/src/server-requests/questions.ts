import type { Context } from '../context.js';
import type { QuestionDesk } from '../question-desk.js';
import { sanitizeLine } from '../sanitize.js';

/** More than this nobody answers one after the other. */
const maxWaiting = 20;

/** The questions of one server, which are asked at the terminal one after the other. */
export class Questions {
  readonly #context: Context;
  /** The name of the server, on one line. */
  readonly server: string;
  #waiting = 0;
  /** The last question ended with Ctrl-C: the next one ends the command. */
  #wasInterrupted = false;

  constructor(context: Context, server: string) {
    this.#context = context;
    this.server = sanitizeLine(server, 100);
  }

  /** Whether there is somebody to ask. */
  get canAsk(): boolean {
    return this.#context.terminal.canAsk(this.#context.stdin);
  }

  /**
   * Asks at the terminal; `undefined` if there is no answer: after Ctrl-C, which interrupts the command
   * only when the question before was ended with it, too; if the server no longer asks; or if it asks
   * too much at once.
   */
  async ask<Answer>(
    withdrawn: AbortSignal,
    work: (desk: QuestionDesk) => Promise<Answer>,
  ): Promise<Answer | undefined> {
    const { terminal, stdin, interruptions } = this.#context;
    if (this.#waiting >= maxWaiting) {
      this.remark(`has more than ${maxWaiting} questions at once: the others are not asked`);
      return undefined;
    }
    this.#waiting++;
    try {
      const signal = AbortSignal.any([withdrawn, interruptions.signal]);
      const answer = await terminal.converse({ stdin, signal }, work);
      this.#wasInterrupted = false;
      return answer;
    } catch (error) {
      if (error instanceof Error && error.name === 'ExitPromptError') {
        if (this.#wasInterrupted) interruptions.interrupt();
        else terminal.remark('The question is cancelled. Ctrl-C again stops what asks.');
        this.#wasInterrupted = true;
      } else if (withdrawn.aborted) {
        this.remark('does not ask any more');
      } else if (!interruptions.signal.aborted) {
        throw error;
      }
      return undefined;
    } finally {
      this.#waiting--;
    }
  }

  /** Says something of the server, once. */
  remark(text: string): void {
    this.#context.terminal.remarkOnce(`The server ${this.server} ${text}.`);
  }
}
