import { matches } from './match.ts';
import { parseConsole } from './parse.ts';

/** What came of a command. */
export interface Came {
  readonly lines: readonly string[];
  readonly code: number;
}

/** A block with what came instead of what is no longer so; what matches stays as it was written. */
export function updatedBlock(text: string, came: readonly Came[]): string {
  const written = parseConsole(text).map((step, index) => {
    const now = came[index] ?? { lines: [], code: 0 };
    const isAsItCame = now.code === step.code && matches(step.expected, now.lines);
    return { ...step, now, isAsItCame };
  });
  if (written.every(({ isAsItCame }) => isAsItCame)) return text;
  const steps = written.map(({ command, expected, now, isAsItCame }) => {
    const lines = isAsItCame ? expected : now.lines.map(withoutTimes);
    const exit = now.code === 0 ? [] : [`(exit ${now.code})`];
    return [`$ ${command}`, ...lines, ...exit].join('\n');
  });
  return `${steps.join('\n\n')}\n`;
}

/** Times are others with every run. */
function withoutTimes(line: string): string {
  return line.trimEnd().replaceAll(/\b\d+(?:\.\d+)? ?(?:ms|s)\b/g, '…');
}
