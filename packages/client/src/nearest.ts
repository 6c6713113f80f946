/** The candidates that `word` was probably meant to be, best first, at most three. */
export function nearest(word: string, candidates: readonly string[]): string[] {
  const wanted = word.toLowerCase();
  return candidates
    .map((candidate) => ({ candidate, distance: distanceTo(wanted, candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance <= Math.max(2, candidate.length * 0.4))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** ` Did you mean a, b?`, or nothing where nothing comes near. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const names = nearest(word, candidates);
  return names.length === 0 ? '' : ` Did you mean ${names.join(', ')}?`;
}

/** Edits from one to the other; a name that contains the word, or the reverse, counts as near. */
function distanceTo(word: string, candidate: string): number {
  if (word.length >= 3 && (candidate.includes(word) || word.includes(candidate))) return 1;
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
