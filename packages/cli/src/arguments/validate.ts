import type { Tool } from '@longwire/client';
import { JsonSchema } from '@longwire/client/internal';
import { usageError } from '../command-error.js';

/**
 * Checks arguments against the whole schema of a tool. If they cannot be checked, or not in time,
 * `onUnchecked` gets the reason, and the server decides.
 *
 * @throws LongwireError with code `invalid-arguments` that names the argument.
 */
export async function validate(
  args: Record<string, unknown>,
  tool: Tool,
  onUnchecked: (reason: string) => void,
): Promise<void> {
  const outcome = await new JsonSchema(tool.inputSchema ?? {}).check(args);
  if (outcome.kind === 'unchecked') onUnchecked(outcome.reason);
  if (outcome.kind !== 'invalid') return;
  const { path, message } = outcome;
  throw usageError(path === '' ? `the arguments ${message}` : `argument \`${path}\` ${message}`);
}

/**
 * The pattern that a name matches, tested with the same time limit as a schema, because the patterns
 * come from the server. A pattern that takes too long matches nothing.
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
