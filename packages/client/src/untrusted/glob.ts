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

/** A state between two characters of the pattern: the states that follow without a character, and with one. */
interface State {
  free: number[];
  /** All states that `free` reaches, directly or not. */
  reaches: number[];
  test?: Test;
  next: number;
}

const NO_STATE: State = { free: [], reaches: [], next: 0 };

/**
 * Makes the test whether one of the patterns matches the whole of a text: `*` is any text, `?` one
 * character, `[a-z]` and `[!a-z]` one of some, `{a,b}` either, and `\` takes the next character as it
 * is. It takes at most the length of the text times that of the pattern: it reads the text once, with all
 * states of the pattern that are possible at a time.
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
  const states = statesOf(isNegated ? pattern.slice(1) : pattern, separator);
  return (text) => runThrough(states, text) !== isNegated;
}

function runThrough(states: readonly State[], text: string): boolean {
  // Each holds every state at most once, and is used again for every other character.
  let current = new Int32Array(states.length);
  let after = new Int32Array(states.length);
  const seenAt = new Int32Array(states.length).fill(-1);
  current.set(states[0]?.reaches ?? []);
  let count = states[0]?.reaches.length ?? 0;
  for (let at = 0; at < text.length && count > 0;) {
    const character = text.codePointAt(at) ?? 0;
    at += character > 0xffff ? 2 : 1;
    let found = 0;
    for (let index = 0; index < count; index++) {
      const { test, next } = states[current[index] ?? 0] ?? NO_STATE;
      if (test?.(character) !== true) continue;
      const { reaches } = states[next] ?? NO_STATE;
      for (let reached = 0; reached < reaches.length; reached++) {
        const state = reaches[reached] ?? 0;
        if (seenAt[state] === at) continue;
        seenAt[state] = at;
        after[found++] = state;
      }
    }
    [current, after] = [after, current];
    count = found;
  }
  return current.subarray(0, count).includes(states.length - 1);
}

/** The states that are reached without a further character, the state itself included. */
function reachable(from: number, states: readonly State[]): number[] {
  const reached = new Set([from]);
  for (const state of reached) for (const next of states[state]?.free ?? []) reached.add(next);
  return [...reached];
}

/** The states of a pattern. It begins at the first and ends at the last. */
function statesOf(pattern: string, separator: string | undefined): State[] {
  const stop = separator?.codePointAt(0);
  const states: State[] = [];
  const add = (): number => states.push({ free: [], reaches: [], next: 0 }) - 1;
  const take = (test: Test, from: number, to = add()): number => {
    Object.assign(states[from] as State, { test, next: to });
    return to;
  };
  const skip = (from: number, to: number): void => void states[from]?.free.push(to);
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
  for (const [index, state] of states.entries()) state.reaches = reachable(index, states);
  return states;
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
