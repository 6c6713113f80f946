import type Anthropic from '@anthropic-ai/sdk';
import { isObject } from '@longwire/client/internal';
import { modernSchema } from './modern-schema.js';
import { describedProperties } from './schema-properties.js';

const combinators: readonly string[] = ['anyOf', 'oneOf', 'allOf'];

/**
 * "input_schema.properties: Property keys should match pattern": asked of the root only, nested
 * properties may have any name:
 * https://github.com/aws-solutions-library-samples/accelerated-intelligent-document-processing-on-aws/issues/709
 */
const propertyKey = /^[a-zA-Z0-9_.-]{1,64}$/;
const maxShownKeyLength = 80;

/** A tool's schema as the API accepts it, and the rest as text. */
export interface OfferedSchema {
  schema: Anthropic.Tool.InputSchema;
  /** A constraint that the schema no longer holds; added to the tool's description. */
  constraint?: string;
}

/**
 * The server's schema: the very same object if the API accepts it.
 *
 * The API answers 400 to the whole request if a schema's root is not of type `object` or has
 * `anyOf`, `oneOf` or `allOf` ("input_schema does not support oneOf, allOf, or anyOf at the top
 * level"), and real servers send these. So:
 *
 * - a missing type is added;
 * - a combinator at the root moves to the description; the properties of its branches stay;
 * - what is not JSON Schema 2020-12 is rewritten, or moves to the description.
 *
 * @returns a problem if the schema cannot describe an object, or has property names that the API
 *   rejects.
 */
export function offerSchema(inputSchema: unknown): OfferedSchema | { problem: string } {
  if (!isObject(inputSchema)) return { schema: { type: 'object' } };
  const { schema, removed } = modernSchema(inputSchema);
  const modern = isObject(schema) ? schema : {};
  const { type } = modern;
  const takesObjects =
    type === undefined || type === 'object' || (Array.isArray(type) && type.includes('object'));
  if (!takesObjects) return { problem: 'its input schema does not describe an object' };

  const offered = withoutCombinators(modern);
  const constraint = [offered.constraint, removedNote(removed)].filter(Boolean).join('\n\n');
  if (constraint !== '') offered.constraint = constraint;
  const { properties } = offered.schema;
  const badKey = Object.keys(isObject(properties) ? properties : {}).find(
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
