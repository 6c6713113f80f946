import { createRandom } from '@longwire/testing';

/**
 * A call that a client makes.
 *
 * @typedef {object} Call
 * @property {string} key of this call alone; part of its answer
 * @property {'pay' | 'look' | 'export' | 'render'} tool
 * @property {{ key: string, ms: number, steps: number }} args
 * @property {boolean} isSafe whether it may run twice
 */

/** How long a call runs by itself, at most, in milliseconds; and how many of all do. */
const LENGTHS = [
  { share: 0.3, mostMs: 0 },
  { share: 0.5, mostMs: 300 },
  { share: 0.2, mostMs: 2_000 },
];
const SAFE_SHARE = 0.4;

/**
 * The call of this number, which follows from the seed.
 *
 * @param {number} seed
 * @param {number} number
 * @param {boolean} isTask
 * @returns {Call}
 */
export function drawCall(seed, number, isTask) {
  const random = createRandom(seed, number);
  const isSafe = random.chance(SAFE_SHARE);
  const key = `c${number}`;
  let share = random.next();
  const { mostMs } = LENGTHS.find((length) => (share -= length.share) < 0) ?? { mostMs: 0 };
  const ms = random.below(mostMs + 1);
  const tool = isTask ? (isSafe ? 'render' : 'export') : isSafe ? 'look' : 'pay';
  const args = { key, ms, steps: ms === 0 ? 0 : 1 + random.below(4) };
  return { key, tool, args, isSafe };
}

/**
 * What came of a call.
 *
 * - `answered`: the result of its tool, whose text this is;
 * - `outcome-unknown`: an error that says so;
 * - `did-not-run`: an error that says so;
 * - `failed`: anything else.
 *
 * @typedef {object} Outcome
 * @property {'answered' | 'outcome-unknown' | 'did-not-run' | 'failed'} is
 * @property {string} text of the answer, or of the error
 */

/**
 * The outcome of a message that answers a request.
 *
 * @param {{ result?: any, error?: any }} message
 * @returns {Outcome}
 */
export function outcomeOfAnswer({ result, error }) {
  if (error === undefined) return outcomeOfResult(result);
  const text = `${error.code} ${error.message}`;
  const certainty = error.data?.certainty;
  if (certainty === 'outcome-unknown') return { is: 'outcome-unknown', text };
  return { is: certainty === 'refused' ? 'did-not-run' : 'failed', text };
}

/** @param {any} result @returns {Outcome} */
export function outcomeOfResult(result) {
  const text = result?.content?.[0]?.text ?? JSON.stringify(result);
  return { is: result?.isError === true ? 'failed' : 'answered', text };
}

/**
 * The outcome of a call that was rejected by a client that says how sure it is.
 *
 * @param {any} error
 * @returns {Outcome}
 */
export function outcomeOfError(error) {
  const certainty = error.data?.certainty ?? error.certainty;
  const text = `${error.name} ${error.code ?? ''} ${error.certainty ?? ''}: ${error.message}`;
  if (certainty === 'outcome-unknown') return { is: 'outcome-unknown', text };
  if (certainty === 'not-sent' || certainty === 'refused') return { is: 'did-not-run', text };
  return { is: 'failed', text };
}
