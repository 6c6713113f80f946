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
import { sanitizeLine, visibleJson } from '../sanitize.js';
import { parseAnswers, type ServerRequestOptions } from './options.js';
import { Questions } from './questions.js';

/**
 * What a server may ask of a command, and how it is answered. A form is asked at the terminal or
 * answered by `--answer`; without either it is declined. The others are announced only where they can
 * be answered: an address where there is somebody to open it, roots where `--root` names some, sampling
 * with `--allow-sampling`.
 *
 * @throws LongwireError (usage) for an option that is wrong.
 */
export async function serverRequestHandlers(
  context: Context,
  server: string,
  options: ServerRequestOptions,
): Promise<ServerRequestHandlers> {
  const { answer = [], root = [], allowSampling = false, yes = false } = options;
  const answers = parseAnswers(answer);
  const roots = await Promise.all(root.map((folder) => readRoot(folder, context.cwd)));
  const questions = new Questions(context, server);
  let sampling: ServerRequestHandlers['sampling'];
  if (allowSampling) {
    const { createSampling } = await import('./sampling.js');
    sampling = createSampling(context, questions, { yes });
  }
  return {
    elicitation: (params, { signal }) => answerForm(questions, params, { answers, signal }),
    ...(questions.canAsk && {
      urlElicitation: (params, { signal }) =>
        answerUrl(questions, params, { env: context.env, signal }),
    }),
    ...(roots.length > 0 && { roots: () => roots }),
    ...(sampling && { sampling }),
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

async function answerForm(
  questions: Questions,
  params: ElicitRequestFormParams,
  { answers, signal }: { answers: ReadonlyMap<string, string>; signal: AbortSignal },
): Promise<ElicitResult> {
  const { readAnswers } = await import('./read-answers.js');
  const { values, problems } = readAnswers(params, answers);
  if (problems.length === 0) {
    questions.remark('asked and was given the values of --answer');
    return { action: 'accept', content: Object.fromEntries(values) };
  }
  if (!questions.canAsk || problems.some(({ isFinal }) => isFinal)) {
    const why = problems.map(({ text }) => text).join('; ');
    questions.remark(`asked ${visibleJson(sanitizeLine(params.message, 200))} (declined, ${why})`);
    return { action: 'decline' };
  }
  const { askForm } = await import('./ask-form.js');
  const asked = { server: questions.server, params, known: values };
  const answer = await questions.ask(signal, (desk) => askForm(desk, asked));
  return answer ?? { action: 'cancel' };
}

async function answerUrl(
  questions: Questions,
  params: ElicitRequestURLParams,
  { env, signal }: { env: Context['env']; signal: AbortSignal },
): Promise<ElicitResult> {
  const { askUrl, readUrl } = await import('./ask-url.js');
  const read = readUrl(params.url);
  if (!read.ok) {
    questions.remark(`wants an address opened that is refused: ${read.reason}`);
    return { action: 'decline' };
  }
  const asked = { server: questions.server, params, url: read.url, env };
  const answer = await questions.ask(signal, (desk) => askUrl(desk, asked));
  return answer ?? { action: 'cancel' };
}
