import { GROUPS } from './groups/index.mjs';
import { tryHabit } from './trial.mjs';

/**
 * @typedef {import('./trial.mjs').TrialResult} TrialResult
 * @typedef {import('./groups/index.mjs').Group} Group
 * @typedef {import('./server.mjs').Habit} Habit
 */

/** How many servers and clients are there at the same time, in this one process. */
const AT_A_TIME = 20;

/**
 * Tries every habit with one client.
 *
 * @param {import('./clients.mjs').Client} client
 * @param {readonly Group[]} [groups]
 * @returns {Promise<Map<Habit, TrialResult>>}
 */
export async function runHabits(client, groups = GROUPS) {
  const waiting = groups.flatMap(({ habits }) => habits);
  /** @type {Map<Habit, TrialResult>} */
  const results = new Map();
  const lane = async () => {
    for (let habit = waiting.shift(); habit !== undefined; habit = waiting.shift()) {
      if (!client.cannot?.(habit)) results.set(habit, await tryHabit(habit, client));
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, lane));
  return results;
}
