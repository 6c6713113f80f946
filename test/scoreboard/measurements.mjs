/**
 * @typedef {import('./client-process.mjs').Outcome} Outcome
 *
 * @typedef {object} Row what is demanded, or merely measured when `ok` is undefined
 * @property {string} what
 * @property {boolean | undefined} ok
 * @property {string} measured
 * @property {boolean} [routine] demanded everywhere, and of interest only where it failed
 */

/** What was found of one client in one scenario. */
export class Measurements {
  /** @type {Row[]} */
  rows = [];

  /** @param {string} what is demanded @param {boolean} ok @param {string} measured */
  check(what, ok, measured) {
    this.rows.push({ what, ok, measured });
  }

  /** What is demanded everywhere. @param {string} what @param {boolean} ok @param {string} measured */
  checkRoutine(what, ok, measured) {
    this.rows.push({ what, ok, measured, routine: true });
  }

  /** @param {string} what @param {string | number} measured */
  figure(what, measured) {
    this.rows.push({ what, ok: undefined, measured: String(measured) });
  }

  /** Whether something was demanded, and nothing was missed. */
  get passed() {
    const demanded = this.rows.filter(({ ok }) => ok !== undefined);
    return demanded.length > 0 && demanded.every(({ ok }) => ok);
  }
}

/** @param {number} ms */
export const seconds = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`);

/** How an order settled, in a few words. @param {Outcome} outcome */
export function told({ ok, ms, never, error }) {
  if (never === 'crashed') return 'the process crashed';
  if (never === 'unsettled') return `not settled within ${seconds(ms)}`;
  if (ok) return `succeeded, ${seconds(ms)}`;
  return `${nameOf(error)}, ${seconds(ms)}`;
}

/** @param {import('./client-process.mjs').Failure | undefined} error */
export function nameOf(error) {
  if (error === undefined) return 'an error';
  const { code, name, message } = error;
  const isPlain = name === 'Error' || name === 'TypeError';
  const what = code ?? (isPlain ? `${name} “${excerpt(message)}”` : name);
  return error.certainty === undefined ? String(what) : `${what}, ${error.certainty}`;
}

/** @param {string} message */
function excerpt(message) {
  const line = message.split('\n')[0] ?? '';
  return line.length > 60 ? `${line.slice(0, 60)}…` : line;
}

/** Counts equal outcomes: `2 × succeeded, 1 × closed`, with the longest time. @param {readonly Outcome[]} outcomes */
export function tally(outcomes) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { ok, never, error } of outcomes) {
    const what =
      never === 'unsettled' ? 'not settled' : (never ?? (ok ? 'succeeded' : nameOf(error)));
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  const slowest = Math.max(0, ...outcomes.map(({ ms }) => ms));
  const parts = [...counts].map(([what, count]) => `${count} × ${what}`);
  return `${parts.join('; ')}, within ${seconds(slowest)}`;
}

/** Whether a program can tell what went wrong without reading the message. @param {Outcome} outcome */
export function isTyped({ error }) {
  if (error === undefined) return false;
  return error.code !== undefined || !['Error', 'TypeError'].includes(error.name);
}

/** Whether it is an error that says, to a program, that time was up. @param {Outcome} outcome */
export function isTimeout({ error }) {
  if (error === undefined) return false;
  return [error.code, error.name, error.cause].some((word) =>
    /time.?out|deadline/i.test(String(word)),
  );
}
