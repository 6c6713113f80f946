import { isDeepStrictEqual } from 'node:util';
import { isObject } from '@longwire/client/internal';
import type { Offer } from './tool-list.js';

/**
 * Whether another tool has the problem for which the API rejected one. The API gives the path of a
 * keyword: another schema with the same keyword and value has the same problem. Without a path, only
 * a tool with the same schema is sure to have it.
 */
export function hasSameProblem(
  schemaPath: readonly string[],
  refused: Offer,
  other: Offer,
): boolean {
  const [schema, otherSchema] = [refused.definition.input_schema, other.definition.input_schema];
  const key = schemaPath.at(-1);
  const value = schemaPath.reduce<unknown>(propertyOf, schema);
  if (key !== undefined && value !== undefined) return hasProperty(otherSchema, key, value);
  const hasProperties = Object.keys(schema.properties ?? {}).length > 0;
  return hasProperties && isDeepStrictEqual(schema, otherSchema);
}

function propertyOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

function hasProperty(within: unknown, key: string, value: unknown): boolean {
  if (Array.isArray(within)) return within.some((item) => hasProperty(item, key, value));
  if (!isObject(within)) return false;
  if (Object.hasOwn(within, key) && isDeepStrictEqual(within[key], value)) return true;
  return Object.values(within).some((part) => hasProperty(part, key, value));
}
