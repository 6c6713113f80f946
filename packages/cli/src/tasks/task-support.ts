import type { LongwireClient, Tool } from '@longwire/client';
import { usageError, type CommandError } from '../command-error.js';
import { isJsonObject } from '../json-object.js';
import { sanitizeLine } from '../sanitize.js';

/** The version of the protocol since which servers choose what becomes a task. */
export const MODERN = '2026-07-28';
/** The version that brought tasks. */
const WITH_TASKS = '2025-11-25';

const EXTENSION = 'io.modelcontextprotocol/tasks';

/** How a server has tasks: not at all, where the client asks for them, or as it chooses. */
export type TaskSupport = 'none' | 'asked-for' | 'chosen';

/** How a server that is connected has tasks of calls. */
export function taskSupportOf({
  capabilities,
  protocolVersion = '',
}: Pick<LongwireClient, 'capabilities' | 'protocolVersion'>): TaskSupport {
  if (protocolVersion >= MODERN) {
    return valueAt(capabilities, 'extensions', EXTENSION) === undefined ? 'none' : 'chosen';
  }
  if (protocolVersion < WITH_TASKS) return 'none';
  const isOffered = valueAt(capabilities, 'tasks', 'requests', 'tools', 'call') !== undefined;
  return isOffered ? 'asked-for' : 'none';
}

function valueAt(value: unknown, ...path: readonly string[]): unknown {
  let found = value;
  for (const name of path) found = isJsonObject(found) ? found[name] : undefined;
  return found;
}

/** Why `--detach` is refused where the server ends with this command. */
export function endingServer(): CommandError {
  return usageError(
    'a server that this command starts ends with it, and its tasks do, too: leave out --detach, or hold a session with longwire shell',
  );
}

/**
 * Refuses `--detach` for a tool whose calls cannot become tasks.
 *
 * @throws LongwireError (usage)
 */
export function refuseWithoutTasks(client: LongwireClient, tool: Tool): void {
  const { taskSupport } = tool.execution ?? {};
  if (taskSupportOf(client) !== 'asked-for') return;
  if (taskSupport === 'optional' || taskSupport === 'required') return;
  throw usageError(
    `the server does not make tasks of calls of ${sanitizeLine(tool.name)}, and this one would wait for its result: leave out --detach`,
  );
}
