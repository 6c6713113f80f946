import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import prettier from 'prettier';
import { machine, table } from '../../bench/report/markdown.mjs';
import { TRANSPORTS } from './clients.mjs';

/**
 * @typedef {import('./clients.mjs').Client} Client
 * @typedef {import('./scenarios/index.mjs').Scenario} Scenario
 * @typedef {import('./measurements.mjs').Measurements} Measurements
 *
 * @typedef {object} Result
 * @property {Scenario} scenario
 * @property {import('./clients/adapter.mjs').Transport} transport
 * @property {Map<Client, Measurements>} measurements
 */

const PAGE = fileURLToPath(new URL('../../docs/scoreboard.md', import.meta.url));
const DETAILS = fileURLToPath(new URL('details.md', import.meta.url));

/** Said of a transport that a client does not have. */
const CANNOT = 'no such transport';

/**
 * The page for readers: the table, and how it was made.
 *
 * @param {readonly Client[]} clients
 * @param {readonly Result[]} results
 * @param {{ tookMs: number, awayMs: number }} run
 */
export function pageOf(clients, results, { tookMs, awayMs }) {
  const date = new Date().toISOString().slice(0, 10);
  return `# Scoreboard

What Longwire and its peers do when the network or the server fails. \`npm run scoreboard\` writes this page from
what happened. [What was measured in each scenario](../test/scoreboard/details.md) is beside the code.

${summary(clients, results)}

- **pass**: every check of the scenario holds. **fail**: at least one does not.
- The servers are strict: a session that was not initialized answers errors.
- Each client runs in a process of its own, one for each scenario or part of it. All run at the same time, against a
  server each.
- In every scenario a client also connects, leaves nothing open after \`close()\` (no stream, answer or process of the
  server, no socket or timer in its own process, which then ends by itself), and leaves no rejection or exception
  uncaught.
- A transport that a client does not have is not counted.
- Run on ${date}, in ${Math.round(tookMs / 1000)} s, with a server away for ${awayMs / 1000} s in F, on ${machine()}.

## The clients

${setUps(clients)}

## The scenarios

${demands(results)}
`;
}

/** What was demanded of every client, one line a scenario. @param {readonly Result[]} results */
function demands(results) {
  const scenarios = new Set(results.map(({ scenario }) => scenario));
  return [...scenarios].map(({ letter, demand }) => `- **${letter}**: ${demand}`).join('\n');
}

/**
 * What was found in each scenario.
 *
 * @param {readonly Client[]} clients
 * @param {readonly Result[]} results
 */
export function detailsOf(clients, results) {
  return `# Scoreboard: what was measured

The details behind [the table](../../docs/scoreboard.md), which also says what each scenario demands.
\`npm run scoreboard\` writes both. Checks that every scenario has are shown where one failed.

${sections(clients, results)}
`;
}

/** The table of outcomes. @param {readonly Client[]} clients @param {readonly Result[]} results */
export function summary(clients, results) {
  const names = clients.map(({ title, version }) => `${title} ${version}`);
  const head = ['scenario', 'transport', ...names];
  const rows = results.map(({ scenario, transport, measurements }, index) => [
    results[index - 1]?.scenario === scenario ? '' : `${scenario.letter}: ${scenario.title}`,
    TRANSPORTS[transport],
    ...clients.map((client) => {
      if (client.missing !== undefined) return client.missing;
      if (client.cannot.includes(transport)) return CANNOT;
      return measurements.get(client)?.passed ? 'pass' : 'fail';
    }),
  ]);
  const passed = clients.map((client) => {
    const counted = results.filter(({ transport }) => !client.cannot.includes(transport));
    const count = counted.filter(({ measurements }) => measurements.get(client)?.passed).length;
    return client.missing === undefined ? `${count} of ${counted.length}` : '–';
  });
  return table(head, [...rows, ['passed', '', ...passed]], { textColumns: head.length });
}

/**
 * What was found, by scenario and transport.
 *
 * @param {readonly Client[]} clients
 * @param {readonly Result[]} results
 */
export function sections(clients, results) {
  return results
    .map((result, index) => {
      const { scenario, transport } = result;
      const note = scenario.notes?.[transport];
      const isFirst = results[index - 1]?.scenario !== scenario;
      return [
        ...(isFirst ? [`## ${scenario.letter}: ${scenario.title}`] : []),
        `### ${scenario.letter}, ${TRANSPORTS[transport]}`,
        ...(note === undefined ? [] : [note]),
        measurementsTable(clients, result),
      ].join('\n\n');
    })
    .join('\n\n');
}

/** @param {readonly Client[]} clients @param {Result} result */
function measurementsTable(clients, { transport, measurements }) {
  const present = clients.filter(
    ({ missing, cannot }) => missing === undefined && !cannot.includes(transport),
  );
  /** What was demanded or measured of any client, in the order of the one with the most. */
  const names = new Set(
    present
      .map((client) => measurements.get(client)?.rows ?? [])
      .toSorted((one, other) => other.length - one.length)
      .flatMap((rows) => rows.map(({ what }) => what)),
  );
  /** @param {string} name */
  const rowsOf = (name) =>
    present.flatMap(
      (client) => measurements.get(client)?.rows.filter(({ what }) => what === name) ?? [],
    );
  const shown = [...names].filter((name) => !rowsOf(name).every((row) => row.routine && row.ok));
  const rows = shown.map((name) => [
    name,
    ...present.map((client) => {
      const row = measurements.get(client)?.rows.find(({ what }) => what === name);
      if (row === undefined) return '–';
      const prefix = row.ok === undefined ? '' : row.ok ? '✓ ' : '✗ ';
      return (prefix + row.measured).replaceAll('|', '\\|');
    }),
  ]);
  const head = ['', ...present.map(({ title }) => title)];
  return table(head, rows, { textColumns: head.length });
}

/** @param {readonly Client[]} clients */
function setUps(clients) {
  return clients
    .map(({ title, version, node, setUp, missing, remark }) => {
      const what = missing ?? setUp;
      const more = remark === undefined ? '' : ` (${remark})`;
      return `- **${title} ${version}**, Node ${node}: ${what}${more}`;
    })
    .join('\n');
}

/** @param {{ page: string, details: string }} texts @returns {Promise<string[]>} the files */
export async function writePages({ page, details }) {
  const written = Object.entries({ [PAGE]: page, [DETAILS]: details });
  for (const [file, text] of written) {
    const options = await prettier.resolveConfig(file);
    writeFileSync(file, await prettier.format(text, { ...options, parser: 'markdown' }));
  }
  return written.map(([file]) => file);
}
