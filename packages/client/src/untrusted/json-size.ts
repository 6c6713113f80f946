/** The bounds of a {@link sizeOf}. */
export interface SizeBounds {
  maxNodes: number;
  maxDepth: number;
}

/** How many characters weigh as much as one value. */
const CHARACTERS = 32;

/**
 * The size of a JSON value: its values and the names of its members, long texts by their length.
 * `Infinity` as soon as a bound is passed, so that measuring costs no more than the bound.
 */
export function sizeOf(value: unknown, { maxNodes, maxDepth }: SizeBounds): number {
  let size = 0;
  const visit = (part: unknown, depth: number): void => {
    size += 1;
    if (typeof part === 'string') {
      size += Math.floor(part.length / CHARACTERS);
    } else if (typeof part === 'object' && part !== null) {
      if (depth >= maxDepth) size = Infinity;
      if (Array.isArray(part)) {
        if (part.length > maxNodes) size = Infinity;
        for (let i = 0; i < part.length && size <= maxNodes; i++) visit(part[i], depth + 1);
      } else {
        for (const key in part) {
          size += 1 + Math.floor(key.length / CHARACTERS);
          if (size > maxNodes) break;
          visit((part as Record<string, unknown>)[key], depth + 1);
        }
      }
    }
  };
  visit(value, 0);
  return size > maxNodes ? Infinity : size;
}
