import type { ConfigError } from '@longwire/client';
import type { Configuration } from '../configuration.js';
import type { Context } from '../context.js';
import type { QuestionDesk } from '../question-desk.js';
import { sanitizeLine, visibleJson } from '../sanitize.js';

/** A longer text could push the question out of view. */
const maxShown = 500;

/**
 * The inputs (`${input:ID}`) that a server lacks, if it lacks nothing else: a person may be asked for
 * them.
 */
export function lackedInputs({ problems }: ConfigError): string[] {
  const names = problems.map(({ variable }) => variable ?? '');
  if (!names.every((name) => name.startsWith('input:'))) return [];
  return [...new Set(names.map((name) => name.slice('input:'.length)))];
}

/**
 * Asks a person for what a server is given, and shows where it goes. The answers are kept nowhere; what
 * is secret is not shown. `undefined` where nobody can be asked.
 */
export async function askInputs(
  context: Context,
  configuration: Configuration,
  { name, ids }: { name: string; ids: readonly string[] },
): Promise<Record<string, string> | undefined> {
  const { terminal, stdin, interruptions } = context;
  if (ids.length === 0 || !terminal.canAsk(stdin)) return undefined;
  const { signal } = interruptions;
  const answers: Record<string, string> = {};
  try {
    await terminal.converse({ stdin, signal }, async (desk) => {
      const written = visibleJson(configuration.written.get(name));
      desk.show(`${visibleJson(name)} of ${visibleJson(configuration.file)}: ${cut(written)}`);
      for (const id of ids) {
        answers[id] = await askInput(desk, configuration, id);
      }
    });
  } catch (error) {
    if (error instanceof Error && error.name === 'ExitPromptError') interruptions.interrupt();
    signal.throwIfAborted();
    throw error;
  }
  return answers;
}

async function askInput(
  desk: QuestionDesk,
  { inputs }: Configuration,
  id: string,
): Promise<string> {
  const { input, password, select } = await import('@inquirer/prompts');
  const asked = inputs.find((each) => each.id === id);
  const { description = id, isSecret = true, options, default: otherwise } = asked ?? {};
  const config = { message: desk.shown(cut(visibleJson(description))), theme: desk.theme };
  const given = otherwise === undefined || !isShownAsIs(otherwise) ? {} : { default: otherwise };
  if (options !== undefined) {
    const choices = options.map((value) => ({ value, name: cut(visibleJson(value)) }));
    return await select({ ...config, choices, ...given }, desk.newContext());
  }
  if (isSecret) return await password({ ...config, mask: '*' }, desk.newContext());
  return await input({ ...config, ...given }, desk.newContext());
}

/** Whether a person sees of a text all that it is. */
function isShownAsIs(text: string): boolean {
  const isPlain = sanitizeLine(text) === text && visibleJson(text) === JSON.stringify(text);
  return isPlain && text.length <= maxShown;
}

function cut(text: string): string {
  return text.length <= maxShown ? text : `${text.slice(0, maxShown)}…`;
}
