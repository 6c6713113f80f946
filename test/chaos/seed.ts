import { createRandom } from '@longwire/testing';

/**
 * The seed that somebody asked for, or any. It is to be printed before the run begins: what was
 * interrupted is to be run again, too.
 *
 * @throws TypeError for what is no seed.
 */
export function chooseSeed(given: string | undefined): number {
  if (given === undefined) return Math.floor(Math.random() * 2 ** 32);
  if (!/^\d+$/.test(given)) throw new TypeError(`seed: not a whole number: ${given}`);
  const seed = Number(given);
  createRandom(seed);
  return seed;
}
