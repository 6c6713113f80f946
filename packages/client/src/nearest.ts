/** Longer names are not compared: servers list names of any length. */
const MAX_COMPARED_CHARS = 200;

/**
 * How many steps one search may take: some milliseconds, enough for thousands of ordinary names. Names
 * after that are found only if one contains the other.
 */
const MAX_STEPS = 500_000;

/** How much of a name or a list is shown in a message. */
const MAX_SHOWN_CHARS = 128;
const MAX_SHOWN_NAMES = 20;

/**
 * The candidates that `word` probably means, best first, at most three. It takes milliseconds, however
 * many and however long they are: a name of more than 200 characters matches nothing.
 */
export function nearest(word: string, candidates: readonly string[]): string[] {
  if (word.length > MAX_COMPARED_CHARS) return [];
  const wanted = word.toLowerCase();
  const budget = { steps: MAX_STEPS };
  return candidates
    .filter((candidate) => candidate.length <= MAX_COMPARED_CHARS)
    .map((candidate) => ({ candidate, distance: distanceTo(wanted, candidate, budget) }))
    .filter(({ candidate, distance }) => distance <= farthest(candidate))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** ` Did you mean a, b?`, or nothing if no candidate is near. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const names = nearest(word, candidates);
  return names.length === 0 ? '' : ` Did you mean ${names.join(', ')}?`;
}

/** A name in a message: the first 128 characters of it. */
export function shortName(name: string): string {
  return name.length <= MAX_SHOWN_CHARS ? name : `${name.slice(0, MAX_SHOWN_CHARS - 1)}…`;
}

/** Names in a message: the first 20 of them, each cut, and how many more there are. */
export function nameList(names: readonly string[]): string {
  const shown = names.slice(0, MAX_SHOWN_NAMES).map(shortName).join(', ');
  const more = names.length - MAX_SHOWN_NAMES;
  return more > 0 ? `${shown} and ${more} more` : shown;
}

/** How many edits away a name may be. */
function farthest(candidate: string): number {
  return Math.max(2, candidate.length * 0.4);
}

/** Edits from one to the other; a name that contains the word, or the reverse, counts as near. */
function distanceTo(word: string, listed: string, budget: { steps: number }): number {
  const candidate = listed.toLowerCase();
  if (word.length >= 3 && (candidate.includes(word) || word.includes(candidate))) return 1;
  const steps = word.length * candidate.length;
  // Every missing letter is an edit.
  const isFar = Math.abs(word.length - candidate.length) > farthest(listed);
  if (isFar || steps > budget.steps) return Infinity;
  budget.steps -= steps;
  let previous = Array.from({ length: candidate.length + 1 }, (_, index) => index);
  for (let row = 1; row <= word.length; row++) {
    const current = [row];
    for (let column = 1; column <= candidate.length; column++) {
      const substitution = word[row - 1] === candidate[column - 1] ? 0 : 1;
      current.push(
        Math.min(
          (previous[column] ?? 0) + 1,
          (current[column - 1] ?? 0) + 1,
          (previous[column - 1] ?? 0) + substitution,
        ),
      );
    }
    previous = current;
  }
  return previous[candidate.length] ?? word.length;
}
