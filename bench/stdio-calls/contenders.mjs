import { contendersIn } from '../calls/contender.mjs';

const contender = contendersIn(import.meta.url);

/** The floor of every ratio. */
export const BARE_LOOP = contender('bare-loop', 'bare loop');

export const LONGWIRE = contender('longwire', 'Longwire');

/** What `stdio-calls` compares. */
export const CONTENDERS = [BARE_LOOP, LONGWIRE, contender('sdk-2', 'SDK 2.x')];
