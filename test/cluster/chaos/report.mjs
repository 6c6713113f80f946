import { AFTER_MS, interruptionMs, shownAs } from './check.mjs';

/** @typedef {import('./faults.mjs').Fault} Fault */
/** @typedef {import('./load.mjs').Made} Made */

/**
 * The calls of each kind of client, and what came of them, as a Markdown table.
 *
 * @param {import('./load.mjs').Load} load
 */
export function outcomeTable({ made, retries }) {
  const rows = [...retries].map(([name, retried]) => {
    const own = made.filter(({ client }) => client === name);
    const count = (/** @type {Made['outcome']['is']} */ is) =>
      own.filter(({ outcome }) => outcome.is === is).length;
    const longest = Math.max(0, ...own.map(interruptionMs));
    return [
      shownAs(name),
      own.length,
      count('answered'),
      count('outcome-unknown'),
      count('did-not-run'),
      retried,
      seconds(longest),
    ];
  });
  const head = [
    'client',
    'calls',
    'answered',
    'outcome unknown',
    'did not run',
    'sent again',
    'longest wait',
  ];
  return table(head, rows);
}

const SHOWN_FAULTS = /** @type {const} */ ([
  ['none', undefined],
  ['killed', 'kill'],
  ['stalled for 10 s', 'stall'],
  ['Redis connections cut', 'cut'],
  ['Redis refused, up to 4 s', 'away'],
  ['Redis silent, up to 4 s', 'silence'],
  ['its connections cut', 'hang-up'],
  ['several of these', 'several'],
]);

/**
 * The longest that a client waited beyond its tool's own time, by what struck a node meanwhile.
 *
 * @param {import('./load.mjs').Load} load
 * @param {readonly Fault[]} faults
 */
export function interruptionTable({ made, retries }, faults) {
  const columns = SHOWN_FAULTS.filter(
    ([, kind]) =>
      kind === undefined || kind === 'several' || faults.some((fault) => fault.kind === kind),
  );
  const rows = [...retries.keys()].map((name) => {
    const own = made.filter(({ client }) => client === name);
    const cells = columns.map(([, kind]) => {
      const under = own.filter((one) => kindDuring(one, faults) === kind);
      return under.length === 0 ? '–' : seconds(Math.max(0, ...under.map(interruptionMs)));
    });
    return [shownAs(name), ...cells];
  });
  return table(['client', ...columns.map(([shown]) => shown)], rows);
}

/** What struck while a call was made. @param {Made} made @param {readonly Fault[]} faults */
function kindDuring({ sentAt, settledAt }, faults) {
  const met = faults.filter(({ from, to }) => from < settledAt && to + AFTER_MS > sentAt);
  const [kind, ...others] = new Set(met.map((fault) => fault.kind));
  return others.length > 0 ? 'several' : kind;
}

/** @param {number} ms */
function seconds(ms) {
  return `${(ms / 1_000).toFixed(1)} s`;
}

/** @param {readonly string[]} head @param {readonly (readonly (string | number)[])[]} rows */
export function table(head, rows) {
  const lines = [head, head.map((_, index) => (index === 0 ? '---' : '---:')), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
