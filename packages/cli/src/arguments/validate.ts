import type { Tool } from '@longwire/client';
import type { AjvJsonSchemaValidator } from '@modelcontextprotocol/client/validators/ajv';
import { usageError } from '../command-error.js';

/**
 * Checks arguments against the whole schema of a tool. A schema that cannot be compiled checks
 * nothing: it is for the server, then, to judge.
 *
 * @throws LongwireError with code `invalid-arguments` that names the argument.
 */
export async function validate(args: Record<string, unknown>, tool: Tool): Promise<void> {
  // The validator takes longer to load than most commands take to run.
  const { Ajv, AjvJsonSchemaValidator: Validator } =
    await import('@modelcontextprotocol/client/validators/ajv');
  // Formats are for the server to judge, which may know more of them; and nothing goes to the console.
  const ajv = new Ajv({ strict: false, validateFormats: false, logger: false });
  let check;
  try {
    check = new Validator(ajv).getValidator(
      tool.inputSchema as Parameters<AjvJsonSchemaValidator['getValidator']>[0],
    );
  } catch {
    return;
  }
  const verdict = check(args);
  if (!verdict.valid) throw usageError(explain(verdict.errorMessage));
}

/** `data/symbols/0 must be string` becomes a sentence about the argument `symbols/0`. */
function explain(errors: string): string {
  const first = errors.split(/, (?=data[/ ])/)[0] ?? errors;
  const match = /^data(?:\/(\S+))? (.*)$/s.exec(first);
  if (match === null) return `the arguments do not fit the tool: ${first}`;
  const [, path, complaint = ''] = match;
  return path === undefined ? `the arguments ${complaint}` : `argument \`${path}\` ${complaint}`;
}
