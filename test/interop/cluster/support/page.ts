import type { ClusterReport } from './look-around.ts';

/** A row of the table: a client, and what it did. */
export interface Row {
  readonly client: string;
  readonly transport: string;
  readonly report: ClusterReport;
  /** Through how many nodes its requests went. */
  readonly nodes: number;
}

const COLUMNS: readonly (readonly [title: string, name: keyof ClusterReport])[] = [
  ['list', 'list'],
  ['call', 'call'],
  ['progress', 'progress'],
  ['cancellation', 'cancellation'],
  ['elicitation', 'elicitation'],
  ['sampling', 'sampling'],
  ['subscription', 'subscription'],
  ['resume', 'resume'],
];

const INTRODUCTION = `# Clients of a cluster

What clients do with three nodes behind a proxy without stickiness: every request goes to the next node. CI
runs each row; the page is written by the test, from what happened (\`npm test -- test/interop/cluster/ --update\`).

- A cell with "yes" was compared with what one node says. "–": the client has no way to do it.
- Cancellation: the tool was cancelled on the node that ran it.
- Subscription: a change that another client's tool tells, on whatever node, reaches who subscribed.
- Resume: every connection was cut in the middle of a call that must not run twice. The client connected
  again, to another node, and had its answer; the tool ran once. In 2026-07-28 a call is lost with its
  connection, unless it is a [task](../interop.md#tasks).`;

/** The page of what was run. */
export function clusterClientsPage(rows: readonly Row[]): string {
  const titles = ['client', 'transport', ...COLUMNS.map(([title]) => title), 'nodes'];
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const table = [
    line(titles),
    line(titles.map(() => '---')),
    ...rows.map(({ client, transport, report, nodes }) => {
      const cells = COLUMNS.map(([, name]) => (report[name] === undefined ? '–' : 'yes'));
      return line([client, transport, ...cells, String(nodes)]);
    }),
  ];
  return `${INTRODUCTION}\n\n${table.join('\n')}\n`;
}
