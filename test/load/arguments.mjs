import { parseArgs } from 'node:util';

/** How the trial is used. */
export const USAGE = `Usage: npm run load -- [--sessions N] [--busy N]
       npm run load -- page [--seconds N]
       npm run load -- tasks [--tasks N] [--running N] [--kept SECONDS] [--era VERSION]

  --sessions  idle sessions, at least 10 (default 10000)
  --busy      sessions that call tools meanwhile, at least 2 (default 200)
  --seconds   how long the page is looked at, at least 20 (default 300); and half as long for the latency
  --tasks     tasks in all (default 10000), in each of two eras and two stores
  --running   tasks that run at a time, at least 100 (default 1000)
  --kept      seconds for which a task is kept after it was made (default 120)
  --era       2026-07-28 or 2025-11-25; may be repeated (default: both)
  --help      print this

Exit code: 0 if every promise held, 1 if one was broken, 2 for wrong usage.`;

/** @typedef {{ sessions: number, busy: number }} LoadArguments */

/**
 * @param {string[]} args
 * @returns {LoadArguments | 'help'}
 * @throws {TypeError} that says what is wrong with them.
 */
export function readLoadArguments(args) {
  const { values } = parseArgs({
    args,
    options: {
      sessions: { type: 'string', default: '10000' },
      busy: { type: 'string', default: '200' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const sessions = count('sessions', values.sessions, 10);
  const busy = count('busy', values.busy, 2);
  checkOpenFiles(sessions + busy + 1000);
  return { sessions, busy };
}

/** @param {string} name @param {string} text @param {number} least */
function count(name, text, least) {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new TypeError(`--${name}: not a whole number from ${least} on: ${text}`);
}

/**
 * Each process holds a socket for each session. Node raises its own limit as far as it may.
 *
 * @param {number} needed
 */
function checkOpenFiles(needed) {
  const report = /** @type {{ userLimits?: { open_files?: { soft: number | 'unlimited' } } }} */ (
    process.report.getReport()
  );
  const allowed = report.userLimits?.open_files?.soft ?? 'unlimited';
  if (allowed === 'unlimited' || allowed >= needed) return;
  throw new TypeError(
    `This takes ${needed} open files in one process, and ${allowed} are allowed: ` +
      `run \`ulimit -n ${needed}\` first (as root where the hard limit is lower), or name fewer --sessions`,
  );
}
