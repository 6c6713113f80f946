import { shortName } from '@longwire/client/internal';
import { usageError } from '../command-error.js';
import { parseAssignment, type WrittenSources } from './words.js';

/**
 * Arguments that are all text, as those of a prompt and the variables of a template are: `name=value` and
 * `name=@file`, in order.
 *
 * @throws LongwireError (usage) that names the argument.
 */
export function textArguments(
  words: readonly string[],
  sources: WrittenSources,
): Record<string, string> {
  const values = new Map<string, string>();
  for (const word of words) {
    const assignment = parseAssignment(word, sources);
    const { name } = assignment;
    const shown = `argument \`${shortName(name)}\``;
    if (values.has(name)) throw usageError(`${shown} is given twice`);
    if (assignment.kind === 'value') {
      throw usageError(`${shown} is text here: write = in place of :=`);
    }
    if (assignment.kind === 'text') values.set(name, assignment.text);
    else values.set(name, assignment.bytes.toString('utf8'));
  }
  return Object.fromEntries(values);
}
