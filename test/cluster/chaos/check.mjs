import { CLIENT_KINDS } from './clients/index.mjs';

/** @typedef {import('./journal.mjs').Run} Run */

/**
 * A promise that was broken.
 *
 * @typedef {object} Violation
 * @property {'hung' | 'failed' | 'ran-twice' | 'wrong-answer' | 'ran-anyway' | 'lost-answer' | 'unexplained' | 'breach'} kind
 * @property {string} what
 */

/** How long the effects of a fault may last after it was undone, in milliseconds. */
export const AFTER_MS = 4_000;
/** How long before a node dies an answer must have been given to be kept for certain, in milliseconds. */
const KEPT_AFTER_MS = 1_000;

/**
 * Compares what clients were told with what tools did.
 *
 * @param {import('./load.mjs').Load} load
 * @param {Map<string, Run[]>} journal
 * @param {readonly import('./faults.mjs').Fault[]} faults
 * @returns {Violation[]}
 */
export function check({ made, breaches }, journal, faults) {
  /** @type {Violation[]} */
  const violations = breaches.map(({ client, what }) => ({
    kind: /** @type {const} */ ('breach'),
    what: `${client}: ${what}`,
  }));
  for (const one of made) {
    const runs = journal.get(one.call.key) ?? [];
    for (const kind of brokenBy(one, runs, faults)) {
      violations.push({ kind, what: describe(one, runs) });
    }
  }
  return violations;
}

/**
 * @param {import('./load.mjs').Made} made
 * @param {readonly Run[]} runs
 * @param {readonly import('./faults.mjs').Fault[]} faults
 * @returns {Iterable<Violation['kind']>}
 */
function* brokenBy({ call, client, outcome, ...when }, runs, faults) {
  if (outcome.is === 'hung' || outcome.is === 'failed') yield outcome.is;
  if (!call.isSafe && runs.length > 1) yield 'ran-twice';
  if (outcome.is === 'did-not-run' && runs.length > 0) yield 'ran-anyway';
  if (outcome.is === 'answered') {
    if (!runs.some(({ run }) => outcome.text === `${call.tool} ${call.key} ${run}`)) {
      yield 'wrong-answer';
    }
  }
  if (outcome.is !== 'outcome-unknown') return;
  // What is safe runs again.
  if (call.isSafe) yield 'unexplained';
  const [run] = runs;
  const explaining = faults.filter(
    ({ kind, node, losesSessions, ...fault }) =>
      (kind === 'hang-up' ? !hasSession(client) : losesSessions) &&
      fault.from < when.settledAt &&
      fault.to + AFTER_MS > when.sentAt &&
      (run === undefined || node === undefined || isOf(run, node)),
  );
  if (explaining.length === 0) yield 'unexplained';
  else if (explaining.every(({ from }) => (run?.endedAt ?? Infinity) < from - KEPT_AFTER_MS)) {
    yield 'lost-answer';
  }
}

/** Whether a client of this kind could come back for an answer. @param {string} name */
function hasSession(name) {
  return CLIENT_KINDS.find((kind) => kind.name === name)?.hasSession === true;
}

/** Whether a run was on this node, which is called otherwise each time that it is started. @param {Run} run @param {string} node */
function isOf(run, node) {
  return run.node.replaceAll("'", '') === node;
}

/** A call in one line. @param {import('./load.mjs').Made} made @param {readonly Run[]} runs */
export function describe({ call, client, outcome, sentAt, settledAt }, runs) {
  const ran = runs.map(
    ({ node, ranAt, endedAt = NaN }) => `${node} ${ranAt - sentAt}–${endedAt - sentAt} ms`,
  );
  return (
    `${client} ${call.tool} ${call.key} (${call.args.ms} ms), sent at ${clock(sentAt)}, ` +
    `${outcome.is} after ${settledAt - sentAt} ms: ${outcome.text.slice(0, 200)}; ran: ${ran.join(', ') || 'never'}`
  );
}

/** @param {number} at */
export const clock = (at) => new Date(at).toISOString().slice(11, 23);

/** What a client waited beyond the time of its tool, in milliseconds. @param {import('./load.mjs').Made} made */
export function interruptionMs({ call, sentAt, settledAt }) {
  return settledAt - sentAt - call.args.ms;
}

/** How a kind of client is shown. @param {string} name */
export function shownAs(name) {
  return CLIENT_KINDS.find((kind) => kind.name === name)?.shown ?? name;
}

/** The call of each kind of client that waited longest. @param {import('./load.mjs').Load} load @param {Map<string, Run[]>} journal */
export function longestWaits({ made, retries }, journal) {
  return [...retries.keys()].flatMap((name) => {
    const [longest] = made
      .filter(({ client }) => client === name)
      .sort((a, b) => interruptionMs(b) - interruptionMs(a));
    return longest === undefined ? [] : describe(longest, journal.get(longest.call.key) ?? []);
  });
}
