/** A command of a `console` block, and what the page says comes of it. */
export interface Step {
  /** What sh runs; several lines where it continues, or has a heredoc. */
  readonly command: string;
  /** The lines below it. */
  readonly expected: readonly string[];
  /** From `(exit 3)`, the last line; 0 without one. */
  readonly code: number;
}

const EXIT = /^\(exit (\d+)\)$/;

/**
 * The steps of a block. `$ ` begins a command; it goes on after a `\` at the end of a line, and up to
 * the end of a heredoc.
 */
export function parseConsole(text: string): Step[] {
  const lines = text.replace(/\n$/, '').split('\n');
  const steps: Step[] = [];
  for (let at = 0; at < lines.length;) {
    const first = lines[at] ?? '';
    if (!first.startsWith('$ ')) throw new Error(`"${first}" is below no command`);
    const command = [first.slice(2)];
    at++;
    for (; isUnfinished(command) && at < lines.length; at++) command.push(lines[at] ?? '');
    const expected: string[] = [];
    for (; at < lines.length && !(lines[at] ?? '').startsWith('$ '); at++) {
      expected.push(lines[at] ?? '');
    }
    // An empty line before the next command is for the eye.
    while (expected.at(-1) === '') expected.pop();
    const exit = EXIT.exec(expected.at(-1) ?? '');
    if (exit !== null) expected.pop();
    steps.push({ command: command.join('\n'), expected, code: Number(exit?.[1] ?? 0) });
  }
  return steps;
}

function isUnfinished(command: readonly string[]): boolean {
  const last = command.at(-1) ?? '';
  const heredoc = /<<-?\s*(['"]?)(\w+)\1/.exec(command[0] ?? '');
  if (heredoc !== null) return command.length === 1 || last !== heredoc[2];
  return last.endsWith('\\');
}
