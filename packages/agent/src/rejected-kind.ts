import { isDeepStrictEqual } from 'node:util';
import { isRecord } from './records.js';
import type { Offer } from './tool-list.js';

/**
 * Whether what the API will not take of one tool is in another, too. The path that it gives leads to a
 * keyword with a value: wherever else the same keyword has the same value, the same is wrong. Where the
 * API gives no path, only a tool with the same schema is surely of the kind.
 */
export function isOfSameKind(schemaPath: readonly string[], refused: Offer, other: Offer): boolean {
  const [schema, otherSchema] = [refused.definition.input_schema, other.definition.input_schema];
  const key = schemaPath.at(-1);
  const value = schemaPath.reduce<unknown>(memberOf, schema);
  if (key !== undefined && value !== undefined) return hasMember(otherSchema, key, value);
  const hasProperties = Object.keys(schema.properties ?? {}).length > 0;
  return hasProperties && isDeepStrictEqual(schema, otherSchema);
}

function memberOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

function hasMember(within: unknown, key: string, value: unknown): boolean {
  if (Array.isArray(within)) return within.some((item) => hasMember(item, key, value));
  if (!isRecord(within)) return false;
  if (Object.hasOwn(within, key) && isDeepStrictEqual(within[key], value)) return true;
  return Object.values(within).some((part) => hasMember(part, key, value));
}
