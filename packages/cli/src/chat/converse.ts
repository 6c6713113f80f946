import type { Agent } from '@longwire/agent';
import type { Context } from '../context.js';
import { createLineReader } from '../editor/create-line-reader.js';
import { promptLoop, type Step } from '../editor/prompt-loop.js';
import { howToSetKey } from '../environment.js';
import type { ExitCode } from '../exit-codes.js';
import { MediaFolder } from '../save-media.js';
import { askClaude } from './ask-claude.js';
import { Attachments } from './attachments.js';
import { createChatCompletion } from './completion.js';
import type { Servers } from './servers.js';
import type { SlashSetting } from './setting.js';
import { callDirectly, slashCommand } from './slash-commands.js';
import { UsageTally } from './usage-tally.js';

/**
 * A conversation at the prompt with Claude or, without an agent, direct calls of tools. Ends with the
 * input.
 */
export async function converse(
  context: Context,
  servers: Servers,
  agent: Agent | undefined,
): Promise<ExitCode> {
  const { terminal } = context;
  const media = new MediaFolder();
  const attachments = new Attachments();
  const usage = new UsageTally();
  const setting: SlashSetting = { context, servers, media, agent, attachments, usage };
  terminal.remark(
    agent === undefined
      ? `To chat with Claude, ${howToSetKey}.\nUntil then, call tools yourself: tool name=value … (/tools lists them, /help says more).`
      : `Chatting with ${agent.model}. /help lists the commands.`,
  );
  // For completion; whoever needs the list fetches it again and gets the error.
  servers.listTools().catch(() => undefined);
  const reader = createLineReader(context, {
    prompt: '> ',
    complete: createChatCompletion(servers, { isDirect: agent === undefined }),
    history: 'chat',
    editWord: '/edit',
  });
  const answer = async (line: string, signal: AbortSignal): Promise<Step> => {
    // Nobody who writes that alone asks Claude, or calls a tool.
    if (line === 'exit' || line === 'quit') return 'quit';
    if (line.startsWith('/')) return slashCommand(line, signal, setting);
    if (agent === undefined) return callDirectly(line, signal, setting);
    return await askClaude({ ...setting, agent }, line, signal);
  };
  return promptLoop(context, reader, { answer, quitWord: '/quit' });
}
