import { contendersIn, LONGWIRE } from '../calls/contender.mjs';

export { LONGWIRE };

const contender = contendersIn(import.meta.url);

/** The floor of every ratio. */
export const BARE_LOOP = contender('bare-loop', 'bare loop');

/** The official clients, which the targets are about. */
export const OFFICIAL = [contender('sdk-2', 'SDK 2.x'), contender('sdk-1', 'SDK 1.x')];

/** What `sse-calls` compares. */
export const CONTENDERS = [
  BARE_LOOP,
  contender('sdk-over-bare-transport', "SDK 2.x `Client`, bare loop's transport"),
  LONGWIRE,
  ...OFFICIAL,
];

/** @param {string} variant @param {string} title */
const floorVariant = (variant, title) =>
  contender(variant, title, `floor-variants.mjs?variant=${variant}`);

/** What `floor` compares: ways to write the bare loop. */
export const FLOOR_VARIANTS = [
  BARE_LOOP,
  floorVariant('controller-handlers', '`dispatch` with controller handlers'),
  floorVariant('request', '`request`, body dumped'),
  floorVariant('no-timeouts', 'bare loop, timeouts off'),
  floorVariant('pool', 'bare loop over a `Pool`'),
  floorVariant('eight-connections', 'bare loop, at most 8 connections'),
  floorVariant('fetch', '`fetch` of Node'),
];
