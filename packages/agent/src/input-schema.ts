import type Anthropic from '@anthropic-ai/sdk';
import { isDeepStrictEqual } from 'node:util';
import { isRecord } from './records.js';

const combinators = ['anyOf', 'oneOf', 'allOf'] as const;

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
 *
 * @returns undefined for a schema that can never describe an object.
 */
export function offerSchema(inputSchema: unknown): OfferedSchema | undefined {
  if (!isRecord(inputSchema)) return { schema: { type: 'object' } };
  const { type } = inputSchema;
  const takesObjects =
    type === undefined || type === 'object' || (Array.isArray(type) && type.includes('object'));
  if (!takesObjects) return undefined;

  const used = combinators.filter((key) => key in inputSchema);
  if (used.length === 0) {
    const schema = type === 'object' ? inputSchema : { ...inputSchema, type: 'object' };
    return { schema: schema as Anthropic.Tool.InputSchema };
  }

  const rest = Object.fromEntries(
    Object.entries(inputSchema).filter(([key]) => !(used as string[]).includes(key)),
  );
  const branches = used.flatMap((key) => {
    const list = inputSchema[key];
    return Array.isArray(list) ? list.filter(isRecord) : [];
  });
  const removed = Object.fromEntries(used.map((key) => [key, inputSchema[key]]));
  return {
    schema: { ...rest, type: 'object', properties: mergeProperties([rest, ...branches]) },
    constraint: `The arguments must also match this JSON Schema: ${JSON.stringify(removed)}`,
  };
}

function mergeProperties(schemas: readonly Record<string, unknown>[]): Record<string, unknown> {
  const merged = new Map<string, unknown[]>();
  for (const { properties } of schemas) {
    if (!isRecord(properties)) continue;
    for (const [name, schema] of Object.entries(properties)) {
      const known = merged.get(name) ?? [];
      if (!known.some((other) => isDeepStrictEqual(other, schema))) known.push(schema);
      merged.set(name, known);
    }
  }
  return Object.fromEntries(
    [...merged].map(([name, known]) => [name, known.length === 1 ? known[0] : { anyOf: known }]),
  );
}
