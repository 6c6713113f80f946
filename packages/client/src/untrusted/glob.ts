/** How a pattern is read. */
export interface GlobOptions {
  /**
   * For paths and URIs: `*` and `?` stop at this character, and `**` goes over it. Default: none, so that
   * `*` is any text.
   */
  separator?: string;
  /** Whether a `!` in front means: whatever does not match. Default: it is a character. */
  negation?: boolean;
}

type Test = (character: number) => boolean;

/**
 * A place between two characters of the pattern: where the text goes on without a character, and where
 * it goes on with one.
 */
interface Place {
  free: number[];
  /** Where `free` leads to in the end. */
  reaches: number[];
  test?: Test;
  next: number;
}

const NOWHERE: Place = { free: [], reaches: [], next: 0 };

/**
 * Makes the test whether one of the patterns matches the whole of a text: `*` is any text, `?` one
 * character, `[a-z]` and `[!a-z]` one of some, `{a,b}` either, and `\` takes the next character as it
 * is. The time is the length of the text times that of the pattern, whatever they are: it goes through
 * the text once, with all places of the pattern that it may be at.
 */
export function createGlob(
  patterns: string | readonly string[],
  options: GlobOptions = {},
): (text: string) => boolean {
  const globs = (typeof patterns === 'string' ? [patterns] : patterns).map((pattern) =>
    globOf(pattern, options),
  );
  return (text) => globs.some((matches) => matches(text));
}

function globOf(pattern: string, { separator, negation }: GlobOptions): (text: string) => boolean {
  const isNegated = negation === true && pattern.startsWith('!');
  const places = placesOf(isNegated ? pattern.slice(1) : pattern, separator);
  return (text) => runThrough(places, text) !== isNegated;
}

function runThrough(places: readonly Place[], text: string): boolean {
  // Each holds every place at most once, and is used again for every other character.
  let current = new Int32Array(places.length);
  let after = new Int32Array(places.length);
  const seenAt = new Int32Array(places.length).fill(-1);
  current.set(places[0]?.reaches ?? []);
  let count = places[0]?.reaches.length ?? 0;
  for (let at = 0; at < text.length && count > 0;) {
    const character = text.codePointAt(at) ?? 0;
    at += character > 0xffff ? 2 : 1;
    let found = 0;
    for (let index = 0; index < count; index++) {
      const { test, next } = places[current[index] ?? 0] ?? NOWHERE;
      if (test?.(character) !== true) continue;
      const { reaches } = places[next] ?? NOWHERE;
      for (let reached = 0; reached < reaches.length; reached++) {
        const place = reaches[reached] ?? 0;
        if (seenAt[place] === at) continue;
        seenAt[place] = at;
        after[found++] = place;
      }
    }
    [current, after] = [after, current];
    count = found;
  }
  return current.subarray(0, count).includes(places.length - 1);
}

/** Where the text can be without a further character, the place itself included. */
function reachable(from: number, places: readonly Place[]): number[] {
  const reached = new Set([from]);
  for (const place of reached) for (const next of places[place]?.free ?? []) reached.add(next);
  return [...reached];
}

/** The places of a pattern. It begins at the first and ends at the last. */
function placesOf(pattern: string, separator: string | undefined): Place[] {
  const stop = separator?.codePointAt(0);
  const places: Place[] = [];
  const add = (): number => places.push({ free: [], reaches: [], next: 0 }) - 1;
  const take = (test: Test, from: number, to = add()): number => {
    Object.assign(places[from] as Place, { test, next: to });
    return to;
  };
  const skip = (from: number, to: number): void => void places[from]?.free.push(to);
  const anything: Test = () => true;
  const inSegment: Test = (character) => character !== stop;
  /** Of each `{` that is open: where it began, and where its alternatives ended. */
  const open: { from: number; ends: number[] }[] = [];
  let last = add();
  let index = 0;
  while (index < pattern.length) {
    const rest = pattern.slice(index);
    const [special = ''] = SPECIAL.exec(rest) ?? [];
    const isSegment = index === 0 || pattern[index - 1] === separator;
    const around = open.at(-1);
    index += Math.max(1, special.length);
    if (special.startsWith('*')) {
      const goesOver = stop === undefined || special.length > 1;
      const loop = add();
      skip(last, loop);
      take(goesOver ? anything : inSegment, loop, loop);
      const end = add();
      skip(loop, end);
      // `a/**/b` is `a/b`, too.
      if (special.length > 1 && isSegment && separator && pattern[index] === separator) {
        index += 1;
        const behind = take((character) => character === stop, end);
        skip(last, behind);
        last = behind;
      } else {
        last = end;
      }
    } else if (special === '?') {
      last = take(inSegment, last);
    } else if (special.startsWith('[')) {
      const test = classOf(special.slice(1, -1));
      last = take((character) => inSegment(character) && test(character), last);
    } else if (special === '{' && hasAlternatives(rest)) {
      open.push({ from: last, ends: [] });
      const begin = add();
      skip(last, begin);
      last = begin;
    } else if (special === ',' && around !== undefined) {
      around.ends.push(last);
      last = add();
      skip(around.from, last);
    } else if (special === '}' && around !== undefined) {
      open.pop();
      const end = add();
      for (const one of [...around.ends, last]) skip(one, end);
      last = end;
    } else {
      const isEscaped = special.length > 1;
      const literal = rest.codePointAt(isEscaped ? 1 : 0) ?? 0;
      if (literal > 0xffff && !isEscaped) index += 1;
      last = take((character) => character === literal, last);
    }
  }
  skip(last, add());
  for (const [index, place] of places.entries()) place.reaches = reachable(index, places);
  return places;
}

const SPECIAL = /^(?:\*+|\?|\{|,|\}|\[[!^]?\]?[^\]]*\]|\\[^])/u;

/** Whether the `{` that a text begins with has a `,` and a `}` of its own. */
function hasAlternatives(text: string): boolean {
  let depth = 0;
  let hasComma = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '\\') at += 1;
    else if (character === '{') depth += 1;
    else if (character === ',' && depth === 1) hasComma = true;
    else if (character === '}' && --depth === 0) return hasComma;
  }
  return false;
}

/** The test for what stands between `[` and `]`. */
function classOf(text: string): Test {
  const isNegated = /^[!^]/.test(text);
  const characters = Array.from(isNegated ? text.slice(1) : text, (one) => one.codePointAt(0) ?? 0);
  const ranges: [from: number, to: number][] = [];
  for (let at = 0; at < characters.length; at++) {
    const from = characters[at] ?? 0;
    const to = characters[at + 2];
    if (characters[at + 1] === 0x2d && to !== undefined) {
      ranges.push([from, to]);
      at += 2;
    } else {
      ranges.push([from, from]);
    }
  }
  return (character) =>
    ranges.some(([from, to]) => character >= from && character <= to) !== isNegated;
}
