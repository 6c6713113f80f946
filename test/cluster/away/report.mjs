import { table } from '../chaos/report.mjs';

/** @typedef {import('./requests.mjs').Got} Got */

const SHOWN = {
  silent: 'silent',
  restarted: 'killed, with its data',
  emptied: 'killed, empty after',
};

/**
 * What each kind of request got while Redis was away, as a Markdown table.
 *
 * @param {ReadonlyMap<import('./away.mjs').Manner, { rows: readonly import('./away.mjs').Row[] }>} trials
 */
export function awayTable(trials) {
  const kinds = new Set([...trials.values()].flatMap(({ rows }) => rows.map(({ what }) => what)));
  const rows = [...kinds].map((what) => [
    what,
    ...[...trials.values()].map((trial) => {
      const shown = trial.rows.find((row) => row.what === what)?.got.map(show) ?? [];
      const [first, ...others] = shown;
      return others.every((one) => one === first) ? (first ?? '–') : shown.join('; later ');
    }),
  ]);
  return table(['request', ...[...trials.keys()].map((manner) => SHOWN[manner])], rows);
}

/** @param {Got} got */
function show({ status, answer, ms }) {
  return `${outcome(status, answer)}, ${(ms / 1_000).toFixed(0)} s`;
}

/** @param {number} status @param {any} answer */
function outcome(status, answer) {
  if (status === 0) return 'nothing';
  const error = answer?.error;
  if (error !== undefined && status === 200) return error.data?.certainty ?? `error ${error.code}`;
  return String(status);
}
