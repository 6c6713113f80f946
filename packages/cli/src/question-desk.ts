import type { Writable } from 'node:stream';
import type { Input } from './streams.js';

/** Where questions are asked while nothing else uses the terminal. */
export interface QuestionDesk {
  /** Shows a line, which is sanitized already. */
  show(line: string): void;
  /** The same text without our own secrets, to be part of a question. */
  shown(text: string): string;
  /** How wide the terminal is. */
  readonly columns: number;
  /** For the library of the questions: how they look. */
  readonly theme: {
    prefix: { idle: string; done: string };
    style: { message: (text: string) => string; answer: (text: string) => string };
  };
  /**
   * For the library of the questions: where one is asked, and what withdraws it. The library ends the
   * output with each.
   */
  newContext(): { input: Input; output: Writable; signal: AbortSignal };
}

/** A question that is answered with a word. */
export interface WordQuestion<Answer extends string> {
  /** What is shown before it; sanitized already. */
  readonly lines: readonly string[];
  /** The answers and their words. An empty line means the last one. */
  readonly answers: Readonly<Partial<Record<Answer, readonly string[]>>>;
}

/** Asks it; the question is sanitized already. */
export async function askWord<Answer extends string>(
  desk: QuestionDesk,
  question: string,
  { lines, answers }: WordQuestion<Answer>,
): Promise<Answer> {
  const { input } = await import('@inquirer/prompts');
  const entries = Object.entries(answers) as [Answer, readonly string[]][];
  const answerTo = (text: string): Answer | undefined => {
    const word = text.trim().toLowerCase();
    const [otherwise] = entries.at(-1) ?? [];
    return word === '' ? otherwise : entries.find(([, words]) => words.includes(word))?.[0];
  };
  const expected = entries.map(([, [word]]) => word).join(', ');
  for (const line of lines) desk.show(line);
  const config = {
    message: desk.shown(question),
    validate: (text: string) => answerTo(text) !== undefined || `write one of ${expected}`,
    theme: desk.theme,
  };
  return answerTo(await input(config, desk.newContext())) as Answer;
}
