import { WAY_NAMES, WAYS, type Cell, type WayName } from './cells.ts';
import { DISASTERS, type Expected } from './disasters.ts';

const INTRODUCTION = `# What a long write survives

A tool writes for 20 seconds, tells how far it is, and must not run twice. It is the same tool for all, of a
server of [the kit](server.md) with its [tasks](tasks.md) on disk; over stdio it is one of the official SDK.
The program calls it, and writes the id of its task into a file. The table says what comes of the call.
\`npm run surviving\` tries each cell, with real processes, and prints what it saw; CI does the same with a
shorter write, and fails where a cell is not so.`;

const MEANING = `- **its result; ran once**: the call of the program, or of the program that was started again, ended with
  the one result.
- **\`outcome-unknown\`**: the call ended with an error of that certainty: a part of it may have run. It is
  never called again by itself. Where the record of a task lasts, its server says so of itself.
- **nobody to ask**: that version of the protocol has no name for a call by which another process could ask
  for it. The write goes on, or has ended; the program knows that it began.
- Over stdio there is no network between a program and its server, which ends with it.

The program of "a call" does not want the handle of a task (\`onTask\`). In 2025-11-25 such a call lives as
long as its session; in 2026-07-28 the server decides, and makes a task of it all the same.`;

/** The page: what must come of each. */
export function survivingPage(): string {
  return `${INTRODUCTION}\n\n${expectedTable()}\n\n${MEANING}\n`;
}

/** What came of a write. */
export interface Measured {
  readonly disaster: string;
  readonly way: WayName;
  readonly cell: Cell;
}

const WORDS: Readonly<Record<Expected, string>> = {
  result: 'its result; ran once',
  lost: '`outcome-unknown`',
  'not known': 'nobody to ask',
};

function expectedTable(): string {
  return rows((way, { expected }) => {
    const word = expected[way];
    return word === undefined ? '–' : WORDS[word];
  });
}

/** What came of each, in how many seconds. */
export function measuredTable(measured: readonly Measured[]): string {
  return rows((way, { title }) => {
    const found = measured.find((one) => one.way === way && one.disaster === title);
    if (found === undefined) return '–';
    const { outcome, begun, seconds } = found.cell;
    const what = outcome.is === 'error' ? `${outcome.code}, ${outcome.certainty}` : outcome.is;
    return `${what}; ran ${begun}×; ${seconds.toFixed(1)} s`;
  });
}

function rows(cellOf: (way: WayName, disaster: (typeof DISASTERS)[number]) => string): string {
  const head = ['while it writes', ...WAY_NAMES.map((way) => WAYS[way].title)];
  const body = DISASTERS.map((disaster) => [
    disaster.title,
    ...WAY_NAMES.map((way) => cellOf(way, disaster)),
  ]);
  return [head, head.map(() => '---'), ...body].map((row) => `| ${row.join(' | ')} |`).join('\n');
}
