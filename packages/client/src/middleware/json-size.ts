/** Further values are not counted. Strings are counted whole, however long. */
const MAX_VALUES = 100_000;
/** Deeper values are not counted either: the stack is limited, and a cycle has no end. */
const MAX_DEPTH = 100;

/**
 * About how many bytes a value takes as JSON. Nothing is made for it, so that it costs little:
 * escapes in strings are not counted, nor is what comes after the first 100 000 values, or lies
 * deeper than 100 levels.
 */
export function jsonBytes(value: unknown): number {
  const budget = { values: MAX_VALUES };
  return value === undefined ? 0 : count(value, 0, budget);
}

function count(value: unknown, depth: number, budget: { values: number }): number {
  if (budget.values-- <= 0 || depth > MAX_DEPTH) return 0;
  switch (typeof value) {
    case 'string':
      return Buffer.byteLength(value) + 2;
    case 'number':
    case 'bigint':
      return String(value).length;
    case 'boolean':
      return value ? 4 : 5;
    case 'object':
      break;
    default:
      return 0;
  }
  if (value === null) return 4;
  let bytes = 1;
  if (Array.isArray(value)) {
    for (const item of value) {
      bytes += count(item, depth + 1, budget) + 1;
      if (budget.values <= 0) break;
    }
    return Math.max(bytes, 2);
  }
  for (const key in value) {
    const item = (value as Record<string, unknown>)[key];
    if (item === undefined) continue;
    bytes += Buffer.byteLength(key) + count(item, depth + 1, budget) + 4;
    if (budget.values <= 0) break;
  }
  return Math.max(bytes, 2);
}
