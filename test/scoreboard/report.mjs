import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import prettier from 'prettier';
import { machine, table } from '../../bench/report/markdown.mjs';
import { TRANSPORTS } from './clients.mjs';

/**
 * @typedef {import('./clients.mjs').Client} Client
 * @typedef {import('./scenarios/index.mjs').Scenario} Scenario
 * @typedef {import('./findings.mjs').Findings} Findings
 *
 * @typedef {object} Result
 * @property {Scenario} scenario
 * @property {import('./clients/adapter.mjs').Transport} transport
 * @property {Map<Client, Findings>} findings
 */

const FILE = fileURLToPath(new URL('../../docs/scoreboard.md', import.meta.url));

/** Said of a transport that a client does not have. */
const CANNOT = 'no such transport';

/**
 * The whole document.
 *
 * @param {readonly Client[]} clients
 * @param {readonly Result[]} results
 * @param {{ tookMs: number, awayMs: number }} run
 */
export function documentOf(clients, results, { tookMs, awayMs }) {
  const date = new Date().toISOString().slice(0, 10);
  return `# Scoreboard

What Longwire and its peers do when the network or the server misbehaves. Written by
\`npm run scoreboard\` from what happened; every verdict is a check of something measured. Run on
${date}, in ${Math.round(tookMs / 1000)} s, with a server away for ${awayMs / 1000} s in F, on ${machine()}.

${summary(clients, results)}

The servers are strict: a session that was not initialized answers errors. Each client runs in a
process of its own, one for each scenario or part of it, all at the same time against a server each.
In every scenario it also has to connect, to leave nothing open after \`close()\` (no stream, answer
or process of the server, no socket or timer in its own process, which then ends by itself), and to
leave no rejection or exception uncaught; rows for that are shown where it failed. A transport that
a client does not have is not counted.

${setUps(clients)}

${sections(clients, results)}
`;
}

/** The table of verdicts. @param {readonly Client[]} clients @param {readonly Result[]} results */
export function summary(clients, results) {
  const names = clients.map(({ title, version }) => `${title} ${version}`);
  const head = ['scenario', 'transport', ...names];
  const rows = results.map(({ scenario, transport, findings }, index) => [
    results[index - 1]?.scenario === scenario ? '' : `${scenario.letter}: ${scenario.title}`,
    TRANSPORTS[transport],
    ...clients.map((client) => {
      if (client.missing !== undefined) return client.missing;
      if (client.cannot.includes(transport)) return CANNOT;
      return findings.get(client)?.passed ? 'pass' : 'fail';
    }),
  ]);
  const passed = clients.map((client) => {
    const counted = results.filter(({ transport }) => !client.cannot.includes(transport));
    const count = counted.filter(({ findings }) => findings.get(client)?.passed).length;
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
        ...(isFirst ? [`## ${scenario.letter}: ${scenario.title}`, scenario.demand] : []),
        `### ${scenario.letter}, ${TRANSPORTS[transport]}`,
        ...(note === undefined ? [] : [note]),
        findingsTable(clients, result),
      ].join('\n\n');
    })
    .join('\n\n');
}

/** @param {readonly Client[]} clients @param {Result} result */
function findingsTable(clients, { transport, findings }) {
  const present = clients.filter(
    ({ missing, cannot }) => missing === undefined && !cannot.includes(transport),
  );
  /** What was demanded or measured of any client, in the order of the one with the most. */
  const names = new Set(
    present
      .map((client) => findings.get(client)?.rows ?? [])
      .toSorted((one, other) => other.length - one.length)
      .flatMap((rows) => rows.map(({ what }) => what)),
  );
  /** @param {string} name */
  const rowsOf = (name) =>
    present.flatMap(
      (client) => findings.get(client)?.rows.filter(({ what }) => what === name) ?? [],
    );
  const shown = [...names].filter((name) => !rowsOf(name).every((row) => row.routine && row.ok));
  const rows = shown.map((name) => [
    name,
    ...present.map((client) => {
      const row = findings.get(client)?.rows.find(({ what }) => what === name);
      if (row === undefined) return '–';
      const mark = row.ok === undefined ? '' : row.ok ? '✓ ' : '✗ ';
      return (mark + row.measured).replaceAll('|', '\\|');
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

/** @param {string} text */
export async function writeDocument(text) {
  const options = await prettier.resolveConfig(FILE);
  writeFileSync(FILE, await prettier.format(text, { ...options, parser: 'markdown' }));
  return FILE;
}
