/** Random numbers that follow from a seed. */
export interface Random {
  /** A number from 0 up to, but not including, 1. */
  next(): number;
  /** A whole number from 0 up to, but not including, `limit`. */
  below(limit: number): number;
  /** `true` with this probability. */
  chance(probability: number): boolean;
}

/** Seeds are whole numbers from 0 up to, but not including, this. */
export const SEEDS: number = 2 ** 32;

/**
 * Makes a source of random numbers. The same seed gives the same numbers on every machine. They are
 * good enough for tests, and not for secrets.
 *
 * @param seed a whole number from 0 to 4 294 967 295.
 * @param stream sources of one seed with different streams are unrelated. Default 0.
 * @throws TypeError for a wrong seed.
 */
export function createRandom(seed: number, stream = 0): Random {
  if (!Number.isInteger(seed) || seed < 0 || seed >= SEEDS) {
    throw new TypeError(`seed: ${seed} is not a whole number from 0 to ${SEEDS - 1}`);
  }
  // The state grows in equal steps: two streams must not start a few steps apart.
  let state = scramble(seed ^ scramble(stream));
  const next = (): number => {
    // mulberry32, by Tommy Ettinger, in the public domain.
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / SEEDS;
  };
  return {
    next,
    below: (limit) => Math.floor(next() * limit),
    chance: (probability) => next() < probability,
  };
}

/** The last step of MurmurHash3: every bit of the result depends on every bit of the number. */
function scramble(number: number): number {
  let mixed = number | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
