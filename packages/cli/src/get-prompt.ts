import type { GetPromptResult, LongwireClient, Prompt } from '@longwire/client';
import { didYouMean, nameList, shortName } from '@longwire/client/internal';
import { textArguments } from './arguments/text-arguments.js';
import type { WrittenSources } from './arguments/words.js';
import { usageError } from './command-error.js';
import type { Context } from './context.js';
import { describeContent } from './print-result.js';
import { sanitizeLine } from './sanitize.js';
import type { MediaFolder } from './save-media.js';
import { operationOptions } from './session.js';

/** A prompt as it was written on a command line. */
export interface WrittenPrompt extends Pick<WrittenSources, 'stdin'> {
  name: string;
  /** `name=value`. */
  words: readonly string[];
}

/**
 * Gets a prompt that somebody wrote, once its arguments are checked by what the server lists.
 *
 * @throws LongwireError (usage) for a prompt that there is not, and for arguments that are missing or
 * unknown.
 */
export async function getWritten(
  context: Context,
  client: LongwireClient,
  { name, words, stdin }: WrittenPrompt,
  options: { signal?: AbortSignal } = {},
): Promise<GetPromptResult> {
  const { terminal, cwd } = context;
  const limits = { ...operationOptions(context), ...options };
  try {
    terminal.showLive('asking for the prompts');
    const prompt = findPrompt(name, await listedPrompts(client, limits));
    const args = textArguments(words, { cwd, stdin });
    checkArguments(prompt, args);
    terminal.showLive(sanitizeLine(name, 80));
    return await client.getPrompt(name, args, limits);
  } finally {
    terminal.stopLive();
  }
}

/** The prompts of a server; none where it does not offer any. */
export async function listedPrompts(
  client: LongwireClient,
  limits: ReturnType<typeof operationOptions>,
): Promise<Prompt[]> {
  return client.capabilities?.prompts === undefined ? [] : await client.listPrompts(limits);
}

/**
 * The prompt of that name.
 *
 * @throws LongwireError (usage) that names the nearest.
 */
function findPrompt(name: string, prompts: readonly Prompt[]): Prompt {
  const prompt = prompts.find((candidate) => candidate.name === name);
  if (prompt !== undefined) return prompt;
  if (prompts.length === 0) throw usageError('the server has no prompts');
  const names = prompts.map((candidate) => candidate.name);
  const hint = didYouMean(name, names) || ' `longwire prompts` lists them.';
  throw usageError(`the server has no prompt "${shortName(name)}".${hint}`);
}

function checkArguments(prompt: Prompt, args: Readonly<Record<string, string>>): void {
  const listed = prompt.arguments ?? [];
  const names = listed.map(({ name }) => name);
  for (const given of Object.keys(args)) {
    if (names.includes(given)) continue;
    const there = names.length === 0 ? ' It takes none.' : ` It takes ${nameList(names)}.`;
    const hint = didYouMean(given, names) || there;
    throw usageError(
      `the prompt ${shortName(prompt.name)} has no argument \`${shortName(given)}\`.${hint}`,
    );
  }
  const missing = listed.filter(({ name, required }) => required === true && !(name in args));
  if (missing.length === 0) return;
  const lacking = missing.map(({ name }) => name);
  const example = lacking.slice(0, 5).map((name) => `${shortName(name)}=…`);
  throw usageError(
    `the prompt ${shortName(prompt.name)} needs ${nameList(lacking)}: longwire prompt ${shortName(prompt.name)} ${example.join(' ')}`,
  );
}

/** Prints the messages of a prompt, each under its role. */
export async function printMessages(
  { terminal }: Pick<Context, 'terminal'>,
  { messages }: GetPromptResult,
  options: { name: string; media: MediaFolder },
): Promise<void> {
  if (messages.length === 0) return terminal.remark('The prompt has no messages.');
  for (const [index, { role, content }] of messages.entries()) {
    if (index > 0) terminal.print();
    terminal.print(terminal.colors.bold(`${sanitizeLine(role, 40)}:`));
    terminal.print(await describeContent(content, { tool: options.name, media: options.media }));
  }
}
