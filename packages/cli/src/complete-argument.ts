import { ServerError, type CompleteResult, type LongwireClient } from '@longwire/client';
import { didYouMean, nameList, shortName } from '@longwire/client/internal';
import { textArguments } from './arguments/text-arguments.js';
import { usageError } from './command-error.js';
import type { Context } from './context.js';
import { listedPrompts } from './get-prompt.js';
import { operationOptions } from './session.js';
import { templateVariables } from './uri-template.js';

/** What a value is wanted for: a prompt's argument, or a template's variable. */
export interface WrittenCompletion {
  /** The name of a prompt, or a URI template. */
  name: string;
  /** First the argument with what is typed so far, then others with their values. */
  words: readonly string[];
}

/**
 * Asks which values begin with what is typed.
 *
 * @throws LongwireError (usage) for a prompt, a template or an argument that the server does not have,
 * and where it completes nothing.
 */
export async function completeWritten(
  context: Context,
  client: LongwireClient,
  { name, words }: WrittenCompletion,
  options: { signal?: AbortSignal } = {},
): Promise<CompleteResult> {
  const { terminal, cwd } = context;
  const limits = { ...operationOptions(context), ...options };
  const [typed, ...others] = Object.entries(textArguments(words, { cwd }));
  if (typed === undefined) {
    throw usageError('nothing to complete: write what is typed so far, as name=prefix');
  }
  if (client.capabilities?.completions === undefined) {
    throw usageError('the server completes nothing: it has no completions');
  }
  try {
    terminal.showLive('asking for completions');
    const { ref, names } = await referenceTo(name, client, limits);
    for (const given of [typed, ...others].map(([argument]) => argument)) {
      if (names.includes(given)) continue;
      const there = names.length === 0 ? ' It has none.' : ` It has ${nameList(names)}.`;
      const hint = didYouMean(given, names) || there;
      throw usageError(`${shortName(name)} has no argument \`${shortName(given)}\`.${hint}`);
    }
    const [argument, value] = typed;
    return await client.complete(
      {
        ref,
        argument: { name: argument, value },
        ...(others.length > 0 && { context: { arguments: Object.fromEntries(others) } }),
      },
      limits,
    );
  } finally {
    terminal.stopLive();
  }
}

/** What a completion is asked for, and the arguments that it has. */
export interface Reference {
  ref: { type: 'ref/prompt'; name: string } | { type: 'ref/resource'; uri: string };
  /** The arguments that it has. */
  names: string[];
}

/**
 * The prompt or template of that name.
 *
 * @throws LongwireError (usage) where the server has none.
 */
export async function referenceTo(
  name: string,
  client: LongwireClient,
  limits: ReturnType<typeof operationOptions>,
): Promise<Reference> {
  const [prompts, templates] = await Promise.all([
    listedPrompts(client, limits),
    listedTemplates(client, limits),
  ]);
  const prompt = prompts.find((candidate) => candidate.name === name);
  if (prompt !== undefined) {
    const names = (prompt.arguments ?? []).map((argument) => argument.name);
    return { ref: { type: 'ref/prompt', name }, names };
  }
  const template = templates.find((one) => one.uriTemplate === name || one.name === name);
  if (template !== undefined) {
    const { uriTemplate: uri } = template;
    const names = templateVariables(uri).map((variable) => variable.name);
    return { ref: { type: 'ref/resource', uri }, names };
  }
  const there = [...prompts.map((one) => one.name), ...templates.map((one) => one.uriTemplate)];
  const hint = didYouMean(name, there) || ' `longwire prompts` and `longwire resources` list them.';
  throw usageError(`the server has no prompt and no template "${shortName(name)}".${hint}`);
}

async function listedTemplates(
  client: LongwireClient,
  limits: ReturnType<typeof operationOptions>,
): Promise<{ name: string; uriTemplate: string }[]> {
  if (client.capabilities?.resources === undefined) return [];
  try {
    return await client.listResourceTemplates(limits);
  } catch (error) {
    // A server without templates may not know the method.
    if (error instanceof ServerError) return [];
    throw error;
  }
}
