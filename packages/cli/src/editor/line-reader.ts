import type { Complete } from './completion.js';

/** The result of asking for a line. */
export type Line =
  /** A line, which may hold line breaks. */
  | { kind: 'line'; text: string }
  /** No more input: Ctrl-D, or a pipe that ended. */
  | { kind: 'end' }
  /** Ctrl-C at the prompt; `cleared`: it removed what was typed. */
  | { kind: 'interrupted'; cleared: boolean };

/** Where the lines of a session come from. */
export interface LineReader {
  next(): Promise<Line>;
  close(): void;
}

/** How a prompt looks, completes and remembers. */
export interface PromptOptions {
  prompt: string;
  complete: Complete;
  /** The name of the file in which its lines are kept. */
  history: string;
  /** The line that opens the user's own editor, such as `/edit`. */
  editWord: string;
}
