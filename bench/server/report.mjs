/** The tables of `server`, and how the targets were done by. */
import { againstTarget, machine, table, withSpread } from '../report/markdown.mjs';
import { ratioSpread, spread } from '../report/statistics.mjs';

/** @typedef {import('./contenders.mjs').TransportGroup} TransportGroup */
/** @typedef {import('./measure.mjs').Measured} Measured */
/** @typedef {import('./measure.mjs').Sample} Sample */
/** @typedef {{ group: TransportGroup, records: readonly Measured[] }} MeasuredGroup */

/** The targets: Longwire's CPU per call at most this many times the bare server's. */
const BARE_FACTOR = 3;
/** … and this, times it, at most an official server's. */
const OFFICIAL_FACTOR = 2;
/** Memory of an idle session, by that of the bare server with a `McpServer`. */
const MEMORY_FACTOR = 1.2;
/** Heap of a hibernating session, by that of the bare server. */
const HIBERNATED_FACTOR = 1.6;

/**
 * @typedef {object} Column
 * @property {keyof Sample} figure
 * @property {string} title
 * @property {number} digits
 * @property {'less' | 'more'} better
 */

/** @type {readonly Column[]} */
const COLUMNS = [
  { figure: 'connectionsPerSecond', title: 'connections/s', digits: 0, better: 'more' },
  { figure: 'rssKiB', title: 'RSS KiB/session', digits: 1, better: 'less' },
  { figure: 'heapKiB', title: 'heap KiB/session', digits: 1, better: 'less' },
  { figure: 'callsPerSecond', title: 'calls/s', digits: 0, better: 'more' },
  { figure: 'cpuUs', title: 'CPU µs/call', digits: 0, better: 'less' },
  { figure: 'lastMs', title: 'broadcast, last ms', digits: 1, better: 'less' },
  { figure: 'p99Ms', title: 'broadcast, p99 ms', digits: 1, better: 'less' },
];

/**
 * @param {readonly MeasuredGroup[]} groups
 * @param {{ rounds: number, sessions: number, calls: number }} options
 */
export function report(groups, { rounds, sessions, calls }) {
  console.log(`\n${machine()}`);
  console.log(
    `Medians of ${rounds} rounds (least–most) of ${sessions} sessions and up to ${calls} calls; ` +
      `a ratio is taken within each round.`,
  );
  for (const group of groups) reportGroup(group);
  console.log(`\n### Targets\n\n${groups.flatMap(targetLines).join('\n')}`);
}

/** @param {MeasuredGroup} group */
function reportGroup({ group, records }) {
  console.log(`\n### ${group.title}\n\n${group.about}\n`);
  const bare = inRole(records, 'bare');
  const rows = records.map((record) => [
    record.contender.title,
    ...COLUMNS.map(({ figure, digits }) => withSpread(spread(figures(record, figure)), digits)),
    withSpread(ratio(record, bare, 'cpuUs'), 2),
  ]);
  console.log(table(['server', ...COLUMNS.map(({ title }) => title), 'CPU × bare'], rows));
  for (const { contender, failure, notes } of records) {
    if (failure !== undefined) console.log(`\n${contender.title} failed: ${failure}`);
    for (const note of notes) console.log(`\n${contender.title}: ${note}`);
  }
}

/** @param {MeasuredGroup} group @returns {string[]} */
function targetLines({ group, records }) {
  const bare = inRole(records, 'bare');
  const withServer = inRole(records, 'bare-with-server');
  /** @param {string} limit @param {import('../report/statistics.mjs').Spread} spread @param {number} most */
  const atMost = (limit, { median }, most) =>
    `- ${group.title}, ${limit}: ${againstTarget(median, median <= most)}`;
  /** @param {Measured | undefined} longwire */
  const linesOf = (longwire) => {
    const name = longwire?.contender.title;
    return [
      atMost(
        `${name}, at most ${BARE_FACTOR} times the bare server's CPU per call`,
        ratio(longwire, bare, 'cpuUs'),
        BARE_FACTOR,
      ),
      ...records.flatMap((other) => {
        const { title, role } = other.contender;
        if (role !== 'official' && role !== 'peer') return [];
        const { median } = ratio(other, longwire, 'cpuUs');
        const half = againstTarget(median, median >= OFFICIAL_FACTOR, { prefix: '1/' });
        const columns = compare(longwire, other);
        return [
          ...(role === 'official'
            ? [`- ${group.title}, ${name}, at most 1/${OFFICIAL_FACTOR} of ${title}'s CPU: ${half}`]
            : []),
          `- ${group.title}, ${name}, better than ${title} in every column: ${columns}`,
        ];
      }),
    ];
  };
  const longwire = inRole(records, 'longwire');
  const lines = linesOf(longwire);
  const reusing = inRole(records, 'reusing');
  if (reusing !== undefined) lines.push(...linesOf(reusing));
  if (withServer === undefined) return lines;
  const limit = `of a session at most ${MEMORY_FACTOR} times the bare server's with a \`McpServer\``;
  return [
    ...lines,
    atMost(`RSS ${limit}`, ratio(longwire, withServer, 'rssKiB'), MEMORY_FACTOR),
    atMost(`heap ${limit}`, ratio(longwire, withServer, 'heapKiB'), MEMORY_FACTOR),
    atMost(
      `heap of a hibernating session at most ${HIBERNATED_FACTOR} times the bare server's`,
      ratio(inRole(records, 'hibernating'), bare, 'heapKiB'),
      HIBERNATED_FACTOR,
    ),
  ];
}

/**
 * @param {Measured | undefined} longwire
 * @param {Measured} other
 * @returns {string} in how many of the columns that both have
 */
function compare(longwire, other) {
  const worse = [];
  let compared = 0;
  for (const { figure, title, better } of COLUMNS) {
    const { median } =
      better === 'less' ? ratio(longwire, other, figure) : ratio(other, longwire, figure);
    if (Number.isNaN(median)) continue;
    compared++;
    if (median >= 1) worse.push(`${title} ${median.toFixed(2)} times`);
  }
  if (compared === 0) return 'not measured';
  const won = `${compared - worse.length} of ${compared}`;
  return worse.length === 0 ? `${won}, met` : `${won}, MISSED: ${worse.join(', ')}`;
}

/**
 * @param {readonly Measured[]} records
 * @param {import('./contenders.mjs').Role} role
 */
const inRole = (records, role) => records.find(({ contender }) => contender.role === role);

/** By round, those that could be measured. @param {Measured | undefined} record @param {keyof Sample} figure */
const figures = (record, figure) =>
  (record?.samples ?? []).map((sample) => sample[figure]).filter((value) => !Number.isNaN(value));

/**
 * @param {Measured | undefined} of
 * @param {Measured | undefined} to
 * @param {keyof Sample} figure
 */
const ratio = (of, to, figure) => ratioSpread(figures(of, figure), figures(to, figure));
