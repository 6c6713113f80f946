import { contendersIn, LONGWIRE } from '../calls/contender.mjs';

const contender = contendersIn(import.meta.url);

/** The floor of the middlewares' ratios. */
export const PLAIN = { ...LONGWIRE, title: 'no middleware' };

export const FIVE_MIDDLEWARES = contender('five-middlewares', 'five middlewares');

export const CACHE_HIT = contender('cache-hit', '`cache`, a hit');

/** @param {number} size @param {string} title */
const pool = (size, title) => contender(`pool-${size}`, title, `pool.mjs?size=${size}`);

/** The floor of the pool's ratio. */
export const ONE_CONNECTION = pool(1, 'one connection');

export const POOL_OF_FOUR = pool(4, 'pool of four');
