/** A place where two JSON values differ. */
export interface JsonDifference {
  /** What leads there: names of members, places in lists. */
  readonly path: readonly (string | number)[];
  /** `undefined` for what is there and not expected. */
  readonly expected: unknown;
  /** `undefined` for what is expected and not there. */
  readonly actual: unknown;
}

/** How two values are compared. */
export interface CompareOptions {
  /** Objects may have members that are not expected. Default false. */
  readonly partial?: boolean;
}

/** What is nested deeper is compared no further. */
const MAX_DEPTH = 200;

/**
 * Where two JSON values differ. The order of the members of an object means nothing. An integer that is
 * too large for a number is the same as its digits, which a recording has of it.
 */
export function* jsonDifferences(
  expected: unknown,
  actual: unknown,
  options: CompareOptions = {},
  path: readonly (string | number)[] = [],
): Generator<JsonDifference, void, undefined> {
  if (path.length > MAX_DEPTH || exact(expected) === exact(actual)) return;
  if (Array.isArray(expected) && Array.isArray(actual)) {
    for (let index = 0; index < Math.max(expected.length, actual.length); index++) {
      yield* jsonDifferences(expected[index], actual[index], options, [...path, index]);
    }
  } else if (isMembers(expected) && isMembers(actual)) {
    const unexpected = options.partial === true ? [] : Object.keys(actual);
    for (const name of new Set([...Object.keys(expected), ...unexpected])) {
      const [one, other] = [memberOf(expected, name), memberOf(actual, name)];
      yield* jsonDifferences(one, other, options, [...path, name]);
    }
  } else yield { path, expected, actual };
}

/** Whether two JSON values are the same. */
export function isSameJson(one: unknown, other: unknown): boolean {
  return jsonDifferences(one, other).next().done === true;
}

function exact(value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

function isMembers(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function memberOf(value: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}
