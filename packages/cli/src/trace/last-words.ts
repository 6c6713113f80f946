/** What the library says of a process that wrote to its stderr. */
const LAST_WORDS = /; (?:its last words|the last words of its process): [^]*$/;

/** What went wrong without the last words of a process, where each of its lines was shown as it came. */
export function withoutLastWords(summary: string): string {
  return summary.replace(LAST_WORDS, '');
}
