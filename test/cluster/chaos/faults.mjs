import { createRandom } from '@longwire/testing';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Something that struck a node, or the connections of clients.
 *
 * @typedef {object} Fault
 * @property {FaultKind} kind
 * @property {string | undefined} node its name, by which it was first started
 * @property {number} from
 * @property {number} to when it was undone: the node listens again, goes on, reaches Redis
 * @property {boolean} losesSessions whether it lasted long enough for others to take its sessions
 */

/**
 * - `kill`: SIGKILL, and started again;
 * - `stall`: SIGSTOP for ten seconds;
 * - `cut`: its connections to Redis are reset;
 * - `away`: they are reset, and no new ones are taken for a while;
 * - `silence`: they stay open, and nothing passes for a while;
 *
 * - `hang-up`: the connections of all clients to the proxy are reset.
 *
 * @typedef {'kill' | 'stall' | 'cut' | 'away' | 'silence' | 'hang-up'} FaultKind
 */

/** @type {readonly FaultKind[]} */
export const FAULT_KINDS = ['kill', 'stall', 'cut', 'away', 'silence', 'hang-up'];

const STALL_MS = 10_000;
/** The most that Redis is out of the reach of a node, in milliseconds: more than a lease. */
const MOST_AWAY_MS = 4_000;
/** From so long on, a lease of two seconds may have ended. */
const LEASE_ENDS_MS = 1_000;
const MOST_DOWN_MS = 1_500;
/** Between two faults, at least and at most. */
const [LEAST_PAUSE_MS, MOST_PAUSE_MS] = [500, 2_500];

/** Of each round, in an order that the seed draws. @type {readonly (readonly FaultKind[])[]} */
const ROUND = [
  ['kill'],
  ['cut', 'away', 'silence'],
  ['stall'],
  ['kill'],
  ['cut', 'away', 'silence'],
  ['hang-up'],
];

/**
 * Strikes one node after the other, as the seed says, until it is told to stop.
 *
 * @param {import('./stage.mjs').Stage} stage
 * @param {object} options
 * @param {number} options.seed
 * @param {AbortSignal} options.signal
 * @param {readonly FaultKind[]} [options.kinds] default: all
 * @param {(fault: Fault) => void} [options.onFault]
 * @returns {Promise<Fault[]>} fulfilled once everything is undone
 */
export async function strike(stage, { seed, signal, kinds, onFault }) {
  const random = createRandom(seed, 2 ** 31);
  /** @type {Fault[]} */
  const faults = [];
  for (;;) {
    const round = shuffled(ROUND, random);
    for (const choice of round) {
      const kind = choice[random.below(choice.length)];
      const node = stage.nodes[random.below(stage.nodes.length)];
      const share = random.next();
      const pauseMs = LEAST_PAUSE_MS + share * (MOST_PAUSE_MS - LEAST_PAUSE_MS);
      await delay(pauseMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) return faults;
      if (kind === undefined || node === undefined) continue;
      if (kinds !== undefined && !kinds.includes(kind)) continue;
      const from = Date.now();
      const lastsMs = await STRIKES[kind](node, share, stage);
      const losesSessions = kind === 'kill' || lastsMs >= LEASE_ENDS_MS;
      const fault = {
        kind,
        node: kind === 'hang-up' ? undefined : node.name,
        from,
        to: Date.now(),
        losesSessions,
      };
      faults.push(fault);
      onFault?.(fault);
    }
  }
}

/** @type {Record<FaultKind, (node: import('./stage.mjs').StagedNode, share: number, stage: import('./stage.mjs').Stage) => Promise<number>>} */
const STRIKES = {
  kill: async ({ process }, share) => {
    await process.kill();
    await delay(share * MOST_DOWN_MS);
    await process.start();
    return Infinity;
  },
  stall: async ({ process }) => {
    process.stall();
    await delay(STALL_MS);
    process.go();
    return STALL_MS;
  },
  cut: async ({ line }) => {
    line.cutAll();
    return 0;
  },
  away: async ({ line }, share) => {
    line.refuse();
    line.cutAll();
    await delay(share * MOST_AWAY_MS);
    await line.resume();
    return share * MOST_AWAY_MS;
  },
  silence: async ({ line }, share) => {
    line.stallAll();
    await delay(share * MOST_AWAY_MS);
    await line.resume();
    return share * MOST_AWAY_MS;
  },
  'hang-up': async (_node, _share, { front }) => {
    front.cutAll();
    return 0;
  },
};

/** @template T @param {readonly T[]} all @param {import('@longwire/testing').Random} random @returns {T[]} */
function shuffled(all, random) {
  return all
    .map((one) => ({ one, at: random.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ one }) => one);
}
