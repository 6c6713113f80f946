import type { Job } from './jobs.ts';
import { PROGRAMS, type Program } from './programs.ts';

/** What came of one way to do a job. */
export interface Outcome {
  lines: readonly string[];
  /** Of the last of its commands. */
  code: number;
}

/** A job, and what came of each program's way. */
export interface DoneJob {
  job: Job;
  outcomes: Readonly<Record<Program, Outcome>>;
}

/** How much of what comes is shown. */
const MAX_LINES = 3;
const MAX_LINE = 110;

/** The page as Markdown. */
export function comparedPage(
  done: readonly DoneJob[],
  versions: Readonly<Record<Program, string>>,
): string {
  const titles = PROGRAMS.map((name) =>
    name === 'longwire' ? '`longwire`' : `\`${name}\` ${versions[name]}`,
  );
  const summary = done.map(({ job, outcomes }) => [
    `[${job.title}](#${anchorOf(job.title)})`,
    ...PROGRAMS.map((name) => verdictOf(job, name, outcomes[name])),
  ]);
  return [
    '# Side by side',
    '',
    'Every job of [the list](command.md), done with this command, with mcporter, with the command line of the MCP',
    'Inspector and with that of FastMCP, over the same servers in one run. `npm run compare` runs it again and writes this',
    'page. Where a program has no way to do a job, the nearest is what its own help names.',
    '',
    'A cell says whether what came has what the job is about, the exit code, and how many characters one types. Below, of',
    'what came there are the lines that matter, or the first ones.',
    '',
    'Nobody sits there: for the login a script stands in for the browser, follows redirects and says yes. Whether the two',
    'that did not end (124) would with another browser was not looked at.',
    '',
    ...table(['job', ...titles], summary),
    '',
    ...done.flatMap(({ job, outcomes }) => [
      `## ${job.title}`,
      '',
      ...(job.given === undefined ? [] : ['Before:', '', '```text', job.given.trim(), '```', '']),
      ...table(
        ['what one types', 'what comes', 'exit'],
        PROGRAMS.map((name) => [
          job.ways[name].split('\n').map(code).join('<br>'),
          shown(outcomes[name].lines, job.wanted).map(code).join('<br>') || 'nothing',
          String(outcomes[name].code),
        ]),
      ),
      '',
    ]),
  ].join('\n');
}

/** `yes, 0, 46 characters` */
export function verdictOf(job: Job, name: Program, { lines, code: exit }: Outcome): string {
  const isDone = job.wanted.test(lines.join('\n'));
  return `${isDone ? 'yes' : '**no**'}, ${exit}, ${job.ways[name].length}`;
}

/** Some lines that say something: from the first that has what the job is about, else from the first. */
function shown(lines: readonly string[], wanted: RegExp): string[] {
  const told = lines.filter((line) => /[\p{L}\p{N}]/u.test(line));
  const from = Math.max(
    0,
    told.findIndex((line) => wanted.test(line)),
  );
  const some = told.slice(from, from + MAX_LINES).map((line) => {
    // Where a link leads is left out: on this page it would lead elsewhere.
    const even = line
      .trim()
      .replaceAll(/\s+/g, ' ')
      .replaceAll(/\]\([^)]*\)?/g, ']…');
    return even.length > MAX_LINE ? `${even.slice(0, MAX_LINE)}…` : even;
  });
  const rest = told.length - some.length;
  return rest === 0 ? some : [...some, `… and ${rest} more`];
}

/** A line of code in a cell of a table. */
function code(text: string): string {
  const ticks = text.includes('`') ? '``' : '`';
  const pad = text.includes('`') ? ' ' : '';
  return `${ticks}${pad}${text.replaceAll('|', String.raw`\|`)}${pad}${ticks}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`);
}

/** How GitHub names the heading. */
function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} -]/gu, '')
    .replaceAll(' ', '-');
}
