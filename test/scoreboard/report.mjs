import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import prettier from 'prettier';
import { machine, table } from '../../bench/report/markdown.mjs';

/**
 * @typedef {import('./clients.mjs').Client} Client
 * @typedef {import('./scenarios/index.mjs').Scenario} Scenario
 * @typedef {import('./findings.mjs').Findings} Findings
 *
 * @typedef {object} Result
 * @property {Scenario} scenario
 * @property {Map<Client, Findings>} findings
 */

const FILE = fileURLToPath(new URL('../../docs/scoreboard.md', import.meta.url));

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
In every scenario it also has to connect, to leave nothing open after \`close()\` (no stream at the
server, no socket or timer in the process, which then ends by itself), and to leave no rejection or
exception uncaught; rows for that are shown where it failed.

${setUps(clients)}

${results.map((result) => section(clients, result)).join('\n\n')}
`;
}

/** The table of verdicts. @param {readonly Client[]} clients @param {readonly Result[]} results */
export function summary(clients, results) {
  const head = ['scenario', ...clients.map(({ title, version }) => `${title} ${version}`)];
  const rows = results.map(({ scenario, findings }) => [
    `${scenario.letter}: ${scenario.title}`,
    ...clients.map((client) => {
      if (client.missing !== undefined) return client.missing;
      return findings.get(client)?.passed ? 'pass' : 'fail';
    }),
  ]);
  const passed = clients.map((client) => {
    const count = results.filter(({ findings }) => findings.get(client)?.passed).length;
    return client.missing === undefined ? `${count} of ${results.length}` : '–';
  });
  return table(head, [...rows, ['passed', ...passed]], { textColumns: head.length });
}

/** @param {readonly Client[]} clients @param {Result} result */
export function section(clients, { scenario, findings }) {
  const present = clients.filter(({ missing }) => missing === undefined);
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
  return `## ${scenario.letter}: ${scenario.title}

${scenario.demand}

${table(head, rows, { textColumns: head.length })}`;
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
