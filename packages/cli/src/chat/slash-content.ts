import { blocksOf, type SaidMessage, type UserBlock } from '@longwire/agent';
import type { GetPromptResult, LongwireClient } from '@longwire/client';
import { printResources, readResources } from '../commands/resources.js';
import { usageError } from '../command-error.js';
import type { ExitCode } from '../exit-codes.js';
import { getWritten, listedPrompts, printMessages } from '../get-prompt.js';
import { printContents, readWritten } from '../read-resource.js';
import { sanitizeLine } from '../sanitize.js';
import { operationOptions } from '../session.js';
import { splitWords } from '../split-words.js';
import { askClaude } from './ask-claude.js';
import type { SlashSetting } from './setting.js';

/** `/resources`: what the servers have, under the name of their server where there are several. */
export async function listResources(
  { context, servers }: SlashSetting,
  signal: AbortSignal,
): Promise<ExitCode> {
  const { terminal } = context;
  for (const client of servers.clients) {
    if (servers.clients.length > 1) terminal.print(terminal.colors.bold(sanitizeLine(client.name)));
    printResources(context, await readResources(context, client, { signal }));
  }
  return 0;
}

/** `/read [SERVER] URI name=value …`: attaches it to the next question; without Claude it is printed. */
export async function readForClaude(
  text: string,
  signal: AbortSignal,
  setting: SlashSetting,
): Promise<ExitCode> {
  const { context, servers, agent, attachments, media } = setting;
  const { client, name, words } = await chooseClient(servers.clients, splitWords(text), {
    example: '/read SERVER URI',
    has: async (each, uri) =>
      (await readResources(context, each, { signal })).resources.some(
        (resource) => resource.uri === uri || resource.name === uri,
      ),
  });
  const result = await readWritten(context, client, { name, words }, { signal });
  if (agent === undefined) {
    await printContents(context, result, { media });
    return 0;
  }
  const blocks = attachments.add(result);
  const uri = sanitizeLine(result.contents[0]?.uri ?? name, 200);
  context.terminal.remark(
    blocks === 0
      ? 'The resource has no content.'
      : `${uri} is attached: it goes with your next question.`,
  );
  return 0;
}

/** `/prompt [SERVER] NAME name=value …`: its messages go into the conversation, and Claude answers. */
export async function sendPrompt(
  text: string,
  signal: AbortSignal,
  setting: SlashSetting,
): Promise<ExitCode> {
  const { context, servers, agent, media } = setting;
  const { client, name, words } = await chooseClient(servers.clients, splitWords(text), {
    example: '/prompt SERVER NAME name=value …',
    has: async (each, prompt) =>
      (await listedPrompts(each, { ...operationOptions(context), signal })).some(
        (listed) => listed.name === prompt,
      ),
  });
  const result = await getWritten(context, client, { name, words }, { signal });
  await printMessages(context, result, { name, media });
  if (agent === undefined) return 0;
  const messages = saidMessages(result);
  const last = messages.findLastIndex(({ role }) => role !== 'user') + 1;
  agent.append(messages.slice(0, last));
  const question = messages.slice(last).flatMap(({ content }) => content);
  if (question.length > 0) return await askClaude({ ...setting, agent }, question, signal);
  context.terminal.remark('The prompt is in the conversation. Ask something.');
  return 0;
}

function saidMessages({
  messages,
}: GetPromptResult): (SaidMessage & { content: readonly UserBlock[] })[] {
  return messages.flatMap(({ role, content }) => {
    const blocks = blocksOf([content]);
    return blocks.length === 0 ? [] : [{ role, content: blocks }];
  });
}

/** What a line of the prompt is about: a server, a name there, and more words. */
export interface ChosenWords {
  client: LongwireClient;
  name: string;
  words: string[];
}

/**
 * Which server a line is about: the one that it names first, else the only one, else the only one that
 * has what it names.
 *
 * @throws LongwireError (usage) if that is none, or several.
 */
export async function chooseClient(
  clients: readonly LongwireClient[],
  [first, ...rest]: readonly string[],
  {
    example,
    has,
  }: {
    example: string;
    has: (client: LongwireClient, name: string) => Promise<boolean>;
  },
): Promise<ChosenWords> {
  if (first === undefined) throw usageError(`write what: ${example.replace('SERVER ', '')}`);
  const named = clients.find(({ name }) => name === first);
  const [name, ...words] = rest;
  if (named !== undefined && name !== undefined) return { client: named, name, words };
  const [only, ...others] = clients;
  if (only !== undefined && others.length === 0) return { client: only, name: first, words: rest };
  const found = await Promise.all(
    clients.map(async (client) => ((await has(client, first).catch(() => false)) ? [client] : [])),
  );
  const [client, ...more] = found.flat();
  if (client !== undefined && more.length === 0) return { client, name: first, words: rest };
  const names = clients.map((each) => each.name).join(', ');
  throw usageError(
    `${client === undefined ? 'no server lists' : 'several servers have'} "${sanitizeLine(first, 100)}": write ${example} (servers: ${names})`,
  );
}
