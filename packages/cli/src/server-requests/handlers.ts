import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type {
  ElicitRequestFormParams,
  ElicitRequestURLParams,
  ElicitResult,
  Root,
  ServerRequestHandlers,
} from '@longwire/client';
import { usageError } from '../command-error.js';
import type { Context } from '../context.js';
import type { QuestionDesk } from '../question-desk.js';
import { sanitizeLine, visibleJson } from '../sanitize.js';
import { parseAnswers, type ServerRequestOptions } from './options.js';

/** More than this nobody answers one after the other. */
const maxWaiting = 20;

/**
 * What a server may ask of a command, and how it is answered. A form is asked at the terminal or
 * answered by `--answer`; without either it is declined. An address and roots are announced only where
 * there is somebody to open it, and where `--root` names some.
 *
 * @throws LongwireError (usage) for an option that is wrong.
 */
export async function serverRequestHandlers(
  context: Context,
  server: string,
  { answer = [], root = [] }: ServerRequestOptions,
): Promise<ServerRequestHandlers> {
  const roots = await Promise.all(root.map((folder) => readRoot(folder, context.cwd)));
  const questions = new Questions(context, server, parseAnswers(answer));
  return {
    elicitation: (params, { signal }) => questions.form(params, signal),
    ...(context.terminal.canAsk(context.stdin) && {
      urlElicitation: (params, { signal }) => questions.url(params, signal),
    }),
    ...(roots.length > 0 && { roots: () => roots }),
  };
}

async function readRoot(folder: string, cwd: string): Promise<Root> {
  const path = resolve(cwd, folder);
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) throw usageError(`--root "${folder}" is not a folder`);
  return { uri: pathToFileURL(path).href, name: basename(path) };
}

/** The questions of one server. */
class Questions {
  readonly #context: Context;
  readonly #server: string;
  readonly #answers: ReadonlyMap<string, string>;
  #waiting = 0;
  /** The last question ended with Ctrl-C: the next one ends the command. */
  #wasInterrupted = false;

  constructor(context: Context, server: string, answers: ReadonlyMap<string, string>) {
    this.#context = context;
    this.#server = server;
    this.#answers = answers;
  }

  async form(params: ElicitRequestFormParams, signal: AbortSignal): Promise<ElicitResult> {
    const { readAnswers } = await import('./read-answers.js');
    const { values, problems } = readAnswers(params, this.#answers);
    if (problems.length === 0) {
      this.#remark(`asked and was given the values of --answer`);
      return { action: 'accept', content: Object.fromEntries(values) };
    }
    const { terminal, stdin } = this.#context;
    if (!terminal.canAsk(stdin) || problems.some(({ isFinal }) => isFinal)) {
      const why = problems.map(({ text }) => text).join('; ');
      this.#remark(`asked ${visibleJson(sanitizeLine(params.message, 200))} (declined, ${why})`);
      return { action: 'decline' };
    }
    const { askForm } = await import('./ask-form.js');
    const asked = { server: this.#server, params, known: values };
    return await this.#ask(signal, (desk) => askForm(desk, asked));
  }

  async url(params: ElicitRequestURLParams, signal: AbortSignal): Promise<ElicitResult> {
    const { askUrl, readUrl } = await import('./ask-url.js');
    const read = readUrl(params.url);
    if (!read.ok) {
      this.#remark(`wants an address opened that is refused: ${read.reason}`);
      return { action: 'decline' };
    }
    const { env } = this.#context;
    const asked = { server: this.#server, params, url: read.url, env };
    return await this.#ask(signal, (desk) => askUrl(desk, asked));
  }

  /** Asks at the terminal. Ctrl-C cancels the question; at the next one it interrupts the command. */
  async #ask(
    withdrawn: AbortSignal,
    work: (desk: QuestionDesk) => Promise<ElicitResult>,
  ): Promise<ElicitResult> {
    const { terminal, stdin, interruptions } = this.#context;
    if (this.#waiting >= maxWaiting) {
      this.#remark(`has more than ${maxWaiting} questions at once: the others are declined`);
      return { action: 'decline' };
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
        this.#remark('does not ask any more');
      } else if (!interruptions.signal.aborted) {
        throw error;
      }
      return { action: 'cancel' };
    } finally {
      this.#waiting--;
    }
  }

  #remark(text: string): void {
    const { terminal } = this.#context;
    terminal.remarkOnce(`The server ${sanitizeLine(this.#server, 100)} ${text}.`);
  }
}
