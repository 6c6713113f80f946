import type { Tool } from '@longwire/client';
import { JsonSchema } from '@longwire/client/untrusted';
import { usageError } from '../command-error.js';

/**
 * Checks arguments against the whole schema of a tool. `onUnchecked` is told why they cannot be checked,
 * or not in time: it is for the server, then, to judge.
 *
 * @throws LongwireError with code `invalid-arguments` that names the argument.
 */
export async function validate(
  args: Record<string, unknown>,
  tool: Tool,
  onUnchecked: (reason: string) => void,
): Promise<void> {
  const verdict = await new JsonSchema(tool.inputSchema ?? {}).check(args);
  if (verdict.kind === 'unchecked') onUnchecked(verdict.reason);
  if (verdict.kind !== 'invalid') return;
  const { path, message } = verdict;
  throw usageError(path === '' ? `the arguments ${message}` : `argument \`${path}\` ${message}`);
}

/**
 * Which of the patterns a name matches, judged as the schema is: they are the server's. One that takes
 * too long matches nothing.
 */
export async function matchingPattern(
  patterns: readonly string[],
  name: string,
): Promise<string | undefined> {
  for (const pattern of patterns) {
    const schema = new JsonSchema({ patternProperties: { [pattern]: false } });
    if ((await schema.check({ [name]: true })).kind === 'invalid') return pattern;
  }
  return undefined;
}
