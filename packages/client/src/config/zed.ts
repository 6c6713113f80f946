import type { Located } from './document.js';
import { literal } from './texts.js';

/**
 * A server of Zed's `context_servers` as the other programs write it. No text in it is a variable. Until
 * 2025 the command was an object with `path`, `args` and `env`.
 * https://zed.dev/docs/ai/mcp
 */
export function fromZed(server: Located): Located {
  const read = literal(server);
  if (read.kind !== 'object') return read;
  const members = new Map(read.members);
  // Where the server came from, and what an extension is told.
  members.delete('source');
  members.delete('settings');
  const command = members.get('command')?.value;
  if (command?.kind !== 'object') return { ...read, members };
  members.delete('command');
  for (const [key, member] of command.members)
    members.set(key === 'path' ? 'command' : key, member);
  return { ...read, members };
}
