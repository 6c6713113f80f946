import { toJson } from '@longwire/client';
import { sanitizeLine } from '../sanitize.js';
import type { Schema } from '../arguments/schema.js';

/** The most characters of a default, an example or a pattern. */
const maxValueLength = 120;

/** Keywords that are not told in words. */
const conditions = ['if', 'not', 'dependentRequired', 'dependentSchemas', 'contains'] as const;

/** What a plain schema asks of a value beside its type, and its default, each in a few words. */
export function limitsOf(schema: Schema): string[] {
  const { pattern, multipleOf, examples } = schema;
  const unmentioned = conditions.filter((keyword) => keyword in schema);
  const limits: (string | undefined | false)[] = [
    between(schema['minLength'], schema['maxLength'], 'character'),
    range(schema),
    typeof multipleOf === 'number' && `a multiple of ${multipleOf}`,
    typeof pattern === 'string' && `matches ${sanitizeLine(pattern, maxValueLength)}`,
    between(schema['minItems'], schema['maxItems'], 'item'),
    schema['uniqueItems'] === true && 'each once',
    between(schema['minProperties'], schema['maxProperties'], 'property', 'properties'),
    schema['deprecated'] === true && 'deprecated',
    'default' in schema && `default ${shown(schema['default'])}`,
    Array.isArray(examples) && examples.length > 0 && `such as ${shown(examples[0])}`,
    unmentioned.length > 0 && `with ${unmentioned.join(', ')} (--json shows it)`,
  ];
  return limits.filter((limit) => typeof limit === 'string');
}

/** The format of a text, such as `date-time`; empty without one. */
export function formatOf({ format, contentEncoding }: Schema): string {
  const said = [format, contentEncoding].find((each) => typeof each === 'string');
  return typeof said === 'string' ? ` (${sanitizeLine(said, 40)})` : '';
}

function between(
  least: unknown,
  most: unknown,
  unit: string,
  units = `${unit}s`,
): string | undefined {
  const [low, high] = [number(least), number(most)];
  if ((low === undefined || low === 0) && high === undefined) return undefined;
  const counted = (count: number): string => `${count} ${count === 1 ? unit : units}`;
  if (high === undefined) return `at least ${counted(low ?? 0)}`;
  if (low === undefined || low === 0) return `at most ${counted(high)}`;
  return low === high ? `exactly ${counted(low)}` : `${low} to ${counted(high)}`;
}

function range(schema: Schema): string | undefined {
  const [least, most] = [number(schema['minimum']), number(schema['maximum'])];
  const [above, below] = [number(schema['exclusiveMinimum']), number(schema['exclusiveMaximum'])];
  // What only says that an integer is safe to send says nothing to people.
  const low = least !== undefined && least <= Number.MIN_SAFE_INTEGER ? undefined : least;
  const high = most !== undefined && most >= Number.MAX_SAFE_INTEGER ? undefined : most;
  if (low !== undefined && high !== undefined) return `${low} to ${high}`;
  const words = [
    low !== undefined && `at least ${low}`,
    above !== undefined && `more than ${above}`,
    high !== undefined && `at most ${high}`,
    below !== undefined && `less than ${below}`,
  ].filter((word) => word !== false);
  return words.length === 0 ? undefined : words.join(' and ');
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function shown(value: unknown): string {
  return sanitizeLine(toJson(value) ?? 'nothing', maxValueLength);
}
