import { setTimeout as delay } from 'node:timers/promises';
import { drawCall } from './calls.mjs';
import { CALL_MS } from './clients/client.mjs';
import { CLIENT_KINDS } from './clients/index.mjs';

/**
 * A call that was made, and what came of it.
 *
 * @typedef {object} Made
 * @property {import('./calls.mjs').Call} call
 * @property {string} client the name of its kind
 * @property {number} sentAt
 * @property {number} settledAt
 * @property {import('./calls.mjs').Outcome | { is: 'hung', text: string }} outcome
 */

/**
 * @typedef {object} Load
 * @property {Made[]} made
 * @property {Map<string, number>} retries by kind of client: what it, or the harness for it, sent again
 * @property {{ client: string, what: string }[]} breaches what clients saw that must not be
 */

/** Of each kind. */
const CLIENTS = 2;
/** Calls of a client at a time. */
const LANES = 3;
/** What a client that gives up by itself may be late by, on a busy machine. */
const HUNG_AFTER_MS = CALL_MS + 20_000;

/**
 * Clients of every kind that make calls at once, at most so many in a second.
 *
 * @param {object} options
 * @param {string} options.origin
 * @param {number} options.seed
 * @param {number} [options.calls] in all; default: until the signal
 * @param {AbortSignal} [options.until] no call begins once it is aborted
 * @param {number} options.rate calls in a second
 * @param {readonly string[]} [options.only] the names of kinds of clients; default: all
 * @param {() => Promise<void> | void} [options.onOpen] when every client has its session
 * @param {(settled: number) => void} [options.onProgress]
 * @returns {Promise<Load>}
 */
export async function makeCalls({
  origin,
  seed,
  calls = Infinity,
  until,
  rate,
  only,
  onOpen,
  onProgress,
}) {
  const kinds = CLIENT_KINDS.filter(({ name }) => only?.includes(name) ?? true);
  /** @type {Load} */
  const load = { made: [], retries: new Map(), breaches: [] };
  const given = new AbortController();
  const opened = await Promise.all(
    kinds.flatMap((kind) =>
      Array.from({ length: CLIENTS }, async (_, index) => {
        const { name } = kind;
        load.retries.set(name, 0);
        const opening = kind.open({
          origin,
          name: `${name}-${index}`,
          onRetry: () => void load.retries.set(name, (load.retries.get(name) ?? 0) + 1),
          onBreach: (what) => void load.breaches.push({ client: name, what }),
          signal: given.signal,
        });
        const client = await opening.catch((/** @type {unknown} */ error) => {
          throw new Error(`${kind.shown} could not be opened`, { cause: error });
        });
        return { kind, client };
      }),
    ),
  );
  await onOpen?.();
  // What opening took is not what is looked at.
  for (const { name } of kinds) load.retries.set(name, 0);

  const beganAt = Date.now();
  let begun = 0;
  /** @param {typeof opened[number]} of */
  const lane = async ({ kind, client }) => {
    for (;;) {
      if (until?.aborted === true || begun >= calls) return;
      const number = begun++;
      await delay(Math.max(0, beganAt + (number / rate) * 1_000 - Date.now()));
      const call = drawCall(seed, number, kind.isTask ?? false);
      const sentAt = Date.now();
      const outcome = await withinTime(client.call(call));
      load.made.push({ call, client: kind.name, sentAt, settledAt: Date.now(), outcome });
      onProgress?.(load.made.length);
    }
  };
  await Promise.all(opened.flatMap((of) => Array.from({ length: LANES }, () => lane(of))));
  given.abort();
  await Promise.allSettled(opened.map(({ client }) => client.close()));
  return load;
}

/**
 * @param {Promise<import('./calls.mjs').Outcome>} settling
 * @returns {Promise<Made['outcome']>}
 */
async function withinTime(settling) {
  const over = new AbortController();
  const hung = delay(HUNG_AFTER_MS, undefined, { signal: over.signal }).then(
    () => /** @type {const} */ ({ is: 'hung', text: `nothing for ${HUNG_AFTER_MS} ms` }),
  );
  hung.catch(() => {});
  try {
    return await Promise.race([settling, hung]);
  } finally {
    over.abort();
  }
}
