import type { Complete, Completion } from '../editor/completion.js';
import { createCompletion } from '../shell/completion.js';
import type { Servers } from './servers.js';
import { slashNames } from './slash-commands.js';

/** The lines of the prompt that are written as in a session, behind a `/`. */
const shared: ReadonlySet<string> = new Set(['/call', '/read', '/prompt']);

/**
 * What Tab offers in a conversation: its commands, and what may follow them. Without Claude a line is a
 * call, as behind `/call`.
 */
export function createChatCompletion(
  servers: Servers,
  { isDirect }: { isDirect: boolean },
): Complete {
  const completeWords = createCompletion({
    clients: servers.clients,
    tools: (client, signal) => servers.knownTools(client, signal),
  });
  const completeBehind = async (
    prefix: string,
    text: string,
    signal: AbortSignal,
  ): Promise<Completion | undefined> => {
    const found = await completeWords(`${prefix}${text}`, signal);
    return found && { ...found, from: found.from - prefix.length };
  };
  return async (text, signal) => {
    if (!text.startsWith('/')) return isDirect ? completeBehind('call ', text, signal) : undefined;
    const [name = ''] = text.split(/\s/, 1);
    if (name === text) {
      const names = slashNames.filter((each) => each.startsWith(text));
      return { from: 0, candidates: names.map((each) => ({ text: `${each} `, shown: each })) };
    }
    if (!shared.has(name)) return undefined;
    const found = await completeWords(text.slice(1), signal);
    return found && { ...found, from: found.from + 1 };
  };
}
