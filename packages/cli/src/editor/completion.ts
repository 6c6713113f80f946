/** What may stand at the cursor. */
export interface Candidate {
  /** What is written, with what follows it: a blank behind a whole word, none behind `name=`. */
  readonly text: string;
  /** What is shown of it, one line; default: the text. */
  readonly shown?: string;
  /** A few words on it, one line. */
  readonly note?: string;
}

/** What Tab offers. */
export interface Completion {
  /** Where in the text before the cursor it begins to be replaced. */
  readonly from: number;
  readonly candidates: readonly Candidate[];
}

/** Finds what Tab offers for the text before the cursor. It may ask a server; the signal ends that. */
export type Complete = (
  text: string,
  signal: AbortSignal,
) => Completion | undefined | Promise<Completion | undefined>;

/** The candidates that are shown below the line. */
export interface Menu {
  /** What is replaced: from here to the cursor. */
  readonly from: number;
  readonly candidates: readonly Candidate[];
  /** Which one is written at the moment; none at -1. */
  readonly chosen: number;
}

/** What all candidates begin with. */
export function commonStart(candidates: readonly Candidate[]): string {
  const [first, ...others] = candidates;
  let start = first?.text ?? '';
  for (const { text } of others) {
    let length = 0;
    while (length < start.length && start[length] === text[length]) length++;
    start = start.slice(0, length);
  }
  // Not half of a character.
  return /[\ud800-\udbff]$/.test(start) ? start.slice(0, -1) : start;
}
