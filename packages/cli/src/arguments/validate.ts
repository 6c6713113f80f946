import type { Tool } from '@modelcontextprotocol/client';
import type { AjvJsonSchemaValidator } from '@modelcontextprotocol/client/validators/ajv';
import { usageError } from '../usage-error.js';

/** A schema as the validator's types want it; the real one is whatever the server sent. */
type ValidatorSchema = Parameters<AjvJsonSchemaValidator['getValidator']>[0];

/** The formats that the validator knows; of any other it would complain on the console. */
const knownFormats = new Set([
  'date',
  'date-time',
  'time',
  'iso-time',
  'iso-date-time',
  'duration',
  'uri',
  'uri-reference',
  'uri-template',
  'url',
  'email',
  'hostname',
  'ipv4',
  'ipv6',
  'regex',
  'uuid',
  'json-pointer',
  'json-pointer-uri-fragment',
  'relative-json-pointer',
  'byte',
  'int32',
  'int64',
  'float',
  'double',
  'password',
  'binary',
]);

/** Keywords whose value is data, not a schema. */
const dataKeywords = new Set(['enum', 'const', 'default', 'examples']);

/**
 * Checks arguments against the whole schema of a tool. A schema that cannot be compiled checks
 * nothing: it is for the server, then, to judge.
 *
 * @throws LongwireError with code `invalid-arguments` that names the argument.
 */
export async function validate(args: Record<string, unknown>, tool: Tool): Promise<void> {
  // The validator takes longer to load than most commands take to run.
  const ajv = await import('@modelcontextprotocol/client/validators/ajv');
  let check;
  try {
    check = new ajv.AjvJsonSchemaValidator().getValidator(
      withoutUnknownFormats(tool.inputSchema) as ValidatorSchema,
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

function withoutUnknownFormats(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutUnknownFormats);
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema)
    .filter(
      ([key, value]) => key !== 'format' || typeof value !== 'string' || knownFormats.has(value),
    )
    .map(([key, value]) => [key, dataKeywords.has(key) ? value : withoutUnknownFormats(value)]);
  return Object.fromEntries(entries);
}
