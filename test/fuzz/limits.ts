const MIB = 2 ** 20;

/** What the client of a case is given, in milliseconds. */
export const CONNECT_MS = 3000;
export const TIMEOUT_MS = 1500;
export const DEADLINE_MS = 2500;

/** What may pass beyond a limit on a machine with other things to do. */
export const SLACK_MS = 10_000;

/** The event loop may not be held up for longer. */
export const BLOCK_MS = 1000;

/** How much memory a client may ever take: four times the event that it takes by default, and itself. */
export const PEAK_BYTES: number = 640 * MIB;

/** By how much the heap may have grown over many cases, after a collection. */
export const LEAK_BYTES: number = 48 * MIB;
