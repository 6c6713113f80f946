import type Anthropic from '@anthropic-ai/sdk';
import { modernSchema } from './modern-schema.js';
import { isRecord } from './records.js';
import { describedProperties } from './schema-properties.js';

const combinators: readonly string[] = ['anyOf', 'oneOf', 'allOf'];

/**
 * "input_schema.properties: Property keys should match pattern": asked of the root only, nested
 * properties may have any name:
 * https://github.com/aws-solutions-library-samples/accelerated-intelligent-document-processing-on-aws/issues/709
 */
const propertyKey = /^[a-zA-Z0-9_.-]{1,64}$/;
const maxShownKeyLength = 80;

/** A tool's schema as the API takes it, and what had to be said in words instead. */
export interface OfferedSchema {
  schema: Anthropic.Tool.InputSchema;
  /** A constraint that the schema no longer says; to be added to the tool's description. */
  constraint?: string;
}

/**
 * The server's schema, the very same object wherever the API takes it.
 *
 * The API answers 400, to the whole request, to a schema whose root is not of type `object` or has
 * `anyOf`, `oneOf` or `allOf` ("input_schema does not support oneOf, allOf, or anyOf at the top
 * level"), and real servers send these. So a missing type is added, and a combinator at the root
 * becomes words: its branches' properties stay known, and its exact text moves to the description.
 * What is no JSON Schema 2020-12 is written anew, or becomes words, too. All else stays as it is.
 *
 * @returns a problem for a schema that can never describe an object, or that names its properties
 *   as the API allows nobody to.
 */
export function offerSchema(inputSchema: unknown): OfferedSchema | { problem: string } {
  if (!isRecord(inputSchema)) return { schema: { type: 'object' } };
  const { schema, removed } = modernSchema(inputSchema);
  const modern = isRecord(schema) ? schema : {};
  const { type } = modern;
  const takesObjects =
    type === undefined || type === 'object' || (Array.isArray(type) && type.includes('object'));
  if (!takesObjects) return { problem: 'its input schema does not describe an object' };

  const offered = withoutCombinators(modern);
  const constraint = [offered.constraint, removedNote(removed)].filter(Boolean).join('\n\n');
  if (constraint !== '') offered.constraint = constraint;
  const { properties } = offered.schema;
  const badKey = Object.keys(isRecord(properties) ? properties : {}).find(
    (key) => !propertyKey.test(key),
  );
  return badKey === undefined ? offered : { problem: badKeyProblem(badKey) };
}

function withoutCombinators(inputSchema: Record<string, unknown>): OfferedSchema {
  const used = combinators.filter((key) => Object.hasOwn(inputSchema, key));
  if (used.length === 0) {
    const schema =
      inputSchema['type'] === 'object' ? inputSchema : { ...inputSchema, type: 'object' };
    return { schema: schema as Anthropic.Tool.InputSchema };
  }
  const rest = Object.fromEntries(
    Object.entries(inputSchema).filter(([key]) => !used.includes(key)),
  );
  const removed = Object.fromEntries(used.map((key) => [key, inputSchema[key]]));
  return {
    schema: { ...rest, type: 'object', properties: describedProperties(inputSchema) },
    constraint: `The arguments must also match this JSON Schema: ${JSON.stringify(removed)}`,
  };
}

/** More of them help nobody. */
const maxShownRemoved = 10;

function removedNote(removed: readonly string[]): string | undefined {
  if (removed.length === 0) return undefined;
  const shown = removed.slice(0, maxShownRemoved).join('; ');
  const more = removed.length > maxShownRemoved ? '; …' : '';
  return `The server's schema of the arguments has parts that are no JSON Schema: ${shown}${more}`;
}

function badKeyProblem(key: string): string {
  const shown = key.length > maxShownKeyLength ? `${key.slice(0, maxShownKeyLength)}…` : key;
  return `the API takes only property names that match ${propertyKey.source}, not ${JSON.stringify(shown)}`;
}
