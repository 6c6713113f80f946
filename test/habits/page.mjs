import { fileURLToPath } from 'node:url';
import prettier from 'prettier';
import { table } from '../../bench/report/markdown.mjs';
import { HOPELESS } from './groups/hopeless.mjs';
import { GROUPS } from './groups/index.mjs';
import { TASKS } from './tasks.mjs';

/**
 * @typedef {import('./trial.mjs').TrialResult} TrialResult
 * @typedef {import('./server.mjs').Habit} Habit
 *
 * @typedef {object} Column
 * @property {string} title
 * @property {(habit: Habit) => string} outcomeOf
 */

export const PAGE = fileURLToPath(new URL('../../docs/interop.md', import.meta.url));

/** @param {readonly Column[]} columns Longwire's is the first */
export function pageOf(columns) {
  const text = `# Servers and their habits

MCP servers differ. Some send what the protocol does not allow, some stand behind gateways that add
their own answers. This page shows what Longwire does with each habit, beside the official client.

Every row is a small server with this one habit. A client connects to it, lists its tools, and calls
two of them: \`read\`, which is safe to repeat, and \`write\`, which is not. All options are the
defaults, but for shorter time limits. Longwire is told the URL alone. The official client is told
the transport, too. Some habits are known from a public report; the row links to one.

The page is written by \`npm run habits\` from what happened. A test holds Longwire's column to it.
[What servers and clients of others make of tasks](#tasks) is at its end.

${table(
  ['word', 'means'],
  [
    ['works', 'all tools are found; every call has its result and ran once'],
    ['one call fails', 'one call ends with an error; the next one works'],
    ['error', 'it ends with an error that names what the server did'],
    ['vague error', 'it ends with an error that does not, or is the output of a schema validator'],
    ['stays broken', 'one call ends with an error, and so does the next one'],
    ['times out', 'only the time limit of the client ends it'],
    ['hangs', 'not even its time limit ends it'],
    ['wrong result', 'tools are missing, or a result is not the one that the server gave'],
    ['runs twice', '`write` ran twice for one call'],
    ['–', 'the client does not speak this protocol'],
  ],
  { textColumns: 2 },
)}

With some habits not everything can work, or must not. The server gives no answer, wants credentials,
sends the client elsewhere, or is no MCP server; or nobody knows whether \`write\` ran, so it must not be
sent again. Their rows have a †. The right end is an error, one call that fails, or a time limit where the
server does nothing. With all other habits it is "works".

${summary(columns)}

${GROUPS.map((group) => section(group, columns)).join('\n\n')}

${TASKS}
`;
  return formatted(text);
}

/** @param {readonly Column[]} columns */
function summary(columns) {
  const titles = columns.map(({ title }) => title);
  const rows = GROUPS.map(({ title, habits }) => [
    title,
    String(habits.length),
    ...columns.map(({ outcomeOf }) => countOf(habits, outcomeOf)),
  ]);
  const all = GROUPS.flatMap(({ habits }) => habits);
  const total = columns.map(({ outcomeOf }) => countOf(all, outcomeOf));
  const head = ['how many end right', 'habits', ...titles];
  return table(head, [...rows, ['together', String(all.length), ...total]]);
}

/** @param {readonly Habit[]} habits @param {Column['outcomeOf']} outcomeOf */
const countOf = (habits, outcomeOf) =>
  String(habits.filter((habit) => endsRight(habit, outcomeOf(habit))).length);

/** @param {Habit} habit @param {string} outcome */
const endsRight = ({ name }, outcome) =>
  outcome === 'works' ||
  (HOPELESS.has(name) && ['error', 'one call fails', 'times out'].includes(outcome));

/** @param {import('./groups/index.mjs').Group} group @param {readonly Column[]} columns */
function section({ title, about, habits }, columns) {
  const head = ['a server that …', ...columns.map(({ title: name }) => name)];
  const rows = habits.map((habit) => [
    nameOf(habit),
    ...columns.map(({ outcomeOf }) => outcomeOf(habit)),
  ]);
  return `## ${title}\n\n${about}\n\n${table(head, rows, { textColumns: head.length })}`;
}

/** As it stands in the page. @param {Habit} habit */
function nameOf({ name, seen }) {
  const text = name.replaceAll('|', '\\|') + (HOPELESS.has(name) ? ' †' : '');
  return seen === undefined ? text : `${text} ([report](${seen}))`;
}

/** The columns that a page has. @param {string} text @returns {Column[]} */
export function columnsIn(text) {
  const rows = text
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    );
  const [, ...titles] = rows.find(([first]) => first === 'a server that …') ?? [];
  const cellsOf = new Map(rows.map(([name = '', ...cells]) => [name, cells]));
  return titles.map((title, index) => ({
    title,
    outcomeOf: (habit) => cellsOf.get(nameOf(habit))?.[index] ?? '–',
  }));
}

/** @param {string} text */
async function formatted(text) {
  const options = await prettier.resolveConfig(PAGE);
  return prettier.format(text, { ...options, parser: 'markdown' });
}
