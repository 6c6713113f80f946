import { setTimeout as sleep } from 'node:timers/promises';
import { textOf } from './messages.mjs';
import { HabitServer } from './server.mjs';

/**
 * What becomes of a client with a habit, from best to worst.
 *
 * - `works`: it connects, finds the tools, and every call has its own result and ran once.
 * - `one call fails`: with an error, and the next one works.
 * - `error`: it ends with an error that names what the server did.
 * - `vague error`: with an error that does not.
 * - `stays broken`: a call fails, and so does every one after it.
 * - `times out`: a time limit of the client's own ended it.
 * - `hangs`: not even that.
 * - `wrong result`: tools are missing, or a call has a result that is not its own.
 * - `runs twice`: a call that must not be repeated ran twice.
 *
 * @typedef {(typeof OUTCOMES)[number]} Outcome
 *
 * @typedef {object} TrialResult
 * @property {Outcome} outcome
 * @property {string} detail which step it was, and what it said
 */
export const OUTCOMES = /** @type {const} */ ([
  'works',
  'one call fails',
  'error',
  'vague error',
  'stays broken',
  'times out',
  'hangs',
  'wrong result',
  'runs twice',
]);

/** Long enough for what is slow on a busy machine, and short for what never ends. */
const LIMITS = { connectMs: 10_000, callMs: 6000 };

/** What validators of schemas print. */
const DUMP = /"code": "\w+"[^]*"path": \[/;

/** After so long without an end a client hangs; its own limits are far below. */
const PATIENCE_MS = 25_000;

/** How long a server of the trial `away` is not there. */
const AWAY_MS = 1500;

/**
 * Starts a server with the habit, and uses it as a program would.
 *
 * @param {import('./server.mjs').Habit} habit
 * @param {import('./clients.mjs').Client} client
 * @returns {Promise<TrialResult>}
 */
export async function tryHabit(habit, client) {
  const server = await new HabitServer(habit).start();
  const session = client.open(server.url, habit, LIMITS);
  try {
    return await use(session, server, client);
  } finally {
    await Promise.race([session.close().catch(() => {}), sleep(1000)]);
    await server.close();
  }
}

/**
 * @param {import('./clients.mjs').Session} session
 * @param {HabitServer} server
 * @param {import('./clients.mjs').Client} client
 * @returns {Promise<TrialResult>}
 */
async function use(session, server, client) {
  const { habit } = server;
  /** @param {string} step @param {unknown} error @returns {TrialResult} */
  const failed = (step, error) => {
    const { message, code, status, isHang } =
      /** @type {Error & { code?: unknown, status?: unknown, isHang?: boolean }} */ (error);
    const detail = `${step}: ${message}`;
    // A program can read these, too.
    const said = [message, code, status].join(' ');
    if (isHang) return { outcome: 'hangs', detail };
    if (client.isTimeout(/** @type {Error} */ (error))) return { outcome: 'times out', detail };
    const names = habit.says?.test(said) || [...server.told].some((words) => said.includes(words));
    const isClear = names && !DUMP.test(message);
    return { outcome: isClear ? 'error' : 'vague error', detail };
  };

  try {
    await inTime(session.connect());
  } catch (error) {
    return failed('connect', error);
  }
  try {
    const names = [...(await inTime(session.list()))];
    const wanted = habit.tools ?? ['read', 'write'];
    if (names.join() !== wanted.join()) {
      return { outcome: 'wrong result', detail: `list: [${names.join(', ')}]` };
    }
  } catch (error) {
    return failed('list', error);
  }

  /** @param {'read' | 'write'} tool @param {number} n @returns {Promise<TrialResult | undefined>} */
  const call = async (tool, n) => {
    const { runs } = server;
    const before = runs[tool];
    let told = 0;
    try {
      const onProgress = habit.progress === undefined ? undefined : () => (told += 1);
      const result = await inTime(session.call(tool, n, onProgress));
      if (!JSON.stringify(result).includes(textOf(tool, n))) {
        return { outcome: 'wrong result', detail: `${tool}: ${JSON.stringify(result)}` };
      }
      if (tool === 'read' && habit.progress !== undefined && told !== habit.progress) {
        return { outcome: 'wrong result', detail: `${tool}: told ${told} times of progress` };
      }
    } catch (error) {
      return failed(tool, error);
    } finally {
      await sleep(tool === 'write' ? 20 : 0);
    }
    return tool === 'write' && runs[tool] - before > 1
      ? { outcome: 'runs twice', detail: `${tool}: ${runs[tool] - before} times` }
      : undefined;
  };

  /** @param {'read' | 'write'} tool @param {number} n @returns {Promise<TrialResult | undefined>} */
  const callAgain = async (tool, n) => {
    const before = server.runs.write;
    const first = await call(tool, n);
    if (first === undefined) return undefined;
    if (tool === 'write' && server.runs.write - before > 1) {
      return { outcome: 'runs twice', detail: first.detail };
    }
    if (first.outcome !== 'error' && first.outcome !== 'vague error') return first;
    if (habit.trial === undefined) return first;
    const second = await call(tool, n + 100);
    return { outcome: second ? 'stays broken' : 'one call fails', detail: first.detail };
  };

  const before = (await callAgain('read', 1)) ?? (await callAgain('write', 2));
  if (before !== undefined || habit.trial === undefined) return before ?? WORKS;
  /** @type {TrialResult[]} */
  const results = [];
  for (const [tool, n] of /** @type {const} */ ([
    ['read', 3],
    ['write', 4],
  ])) {
    if (habit.trial === 'away') await server.goAway(AWAY_MS);
    else server.restart();
    results.push((await callAgain(tool, n)) ?? WORKS);
  }
  return (
    results.toSorted(
      (one, other) => OUTCOMES.indexOf(other.outcome) - OUTCOMES.indexOf(one.outcome),
    )[0] ?? WORKS
  );
}

/** @type {TrialResult} */
const WORKS = { outcome: 'works', detail: '' };

/**
 * What does not end by itself is left behind.
 *
 * @template T
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 */
async function inTime(promise) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const hang = new Promise((_resolve, reject) => {
    timer = setTimeout(
      () => reject(Object.assign(new Error('it never ended'), { isHang: true })),
      PATIENCE_MS,
    );
  });
  try {
    return await /** @type {Promise<T>} */ (Promise.race([promise, hang]));
  } finally {
    clearTimeout(timer);
  }
}
