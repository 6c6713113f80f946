import type { UserBlock } from '@longwire/agent';
import type { ExitCode } from '../exit-codes.js';
import type { SlashSetting } from './setting.js';
import { runTurn } from './turn.js';

/** What a turn with Claude needs. */
export type TurnSetting = SlashSetting & { agent: NonNullable<SlashSetting['agent']> };

/**
 * Asks Claude, with what is attached, and shows what happens. What is attached stays for the next
 * question if the conversation is as it was before.
 */
export async function askClaude(
  { context, agent, servers, media, attachments, usage }: TurnSetting,
  question: string | readonly UserBlock[],
  signal: AbortSignal,
): Promise<ExitCode> {
  const before = agent.messages;
  const content = attachments.with(question);
  try {
    const turn = { agent, servers, media, usage, question: content, signal, answers: true };
    return (await runTurn(context, turn)).exitCode;
  } finally {
    if (agent.messages !== before) attachments.clear();
  }
}
