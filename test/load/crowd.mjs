import { setTimeout as delay } from 'node:timers/promises';
import { ms } from './report.mjs';
import { Trial } from './trial.mjs';

const HEARTBEAT_MS = 5_000;
/** How long each part is measured. */
const PART_MS = 15_000;
/** How long sessions may stay after their streams have ended. */
const RESUME_MS = 3_000;
/** What the kit keeps for a slow reader before it is cut off. */
const MAX_BUFFERED_BYTES = 16 * 1024 * 1024;

/**
 * Idle sessions and busy ones at the same time, a slow reader among them; then all leave.
 *
 * @param {import('./arguments.mjs').LoadArguments} size
 * @param {import('./report.mjs').Report} report
 */
export async function crowd({ sessions, busy }, report) {
  report.title(`${sessions} idle sessions and ${busy} busy ones`);
  const trial = await Trial.start({
    heartbeatMs: HEARTBEAT_MS,
    sessionIdleMs: 600_000,
    resumeMs: RESUME_MS,
    maxSessions: sessions + busy + 100,
    maxBufferedBytes: MAX_BUFFERED_BYTES,
  });
  try {
    await warmUp(trial, busy);
    const before = await trial.measure();
    const startedAt = performance.now();
    await trial.clients('open', { count: sessions });
    const seconds = (performance.now() - startedAt) / 1000;
    report.line('opened and initialized', `${sessions} in ${seconds.toFixed(1)} s`);
    const idle = await trial.measure();
    report.perSession(before, idle, sessions);

    await trial.clients('heartbeats');
    await trial.loopDelay();
    await delay(PART_MS);
    report.loopDelay('all idle', await trial.loopDelay());
    heartbeats(await trial.clients('heartbeats'), report);

    await trial.clients('openBusy', { count: busy });
    await trial.clients('calls');
    await trial.loopDelay();
    await delay(PART_MS);
    report.loopDelay('busy', await trial.loopDelay());
    calls('calls', await trial.clients('calls'), report);

    await trial.clients('startSlowReader');
    await delay(PART_MS);
    const slow = await trial.clients('stopSlowReader');
    report.loopDelay('slow reader', await trial.loopDelay());
    calls('calls beside a slow reader', await trial.clients('calls'), report);
    report.promise(
      slow.refusedWith !== undefined || slow.calls > 0,
      `the slow reader made ${slow.calls} calls, then: ${slow.refusedWith ?? 'was waited for'}`,
    );
    heartbeats(await trial.clients('heartbeats'), report);

    const last = await trial.clients('stopBusy');
    report.promise(last.broken.length === 0, 'the last calls were answered');
    const during = await trial.measure();
    await trial.clients('leave');
    const { left, tookMs } = await trial.untilEmpty(RESUME_MS + 20_000);
    report.promise(left === 0, `all have left: ${left} sessions after ${ms(tookMs)}`);
    report.memoryReturns({ before, during, after: await trial.measure() });
  } finally {
    await trial.close();
  }
}

/**
 * Lets the server compile and cache what it needs for any session at all.
 *
 * @param {Trial} trial
 * @param {number} count
 */
export async function warmUp(trial, count) {
  await trial.clients('open', { count });
  await trial.clients('leave');
  await trial.untilEmpty(30_000);
}

/** @param {any} heard @param {import('./report.mjs').Report} report */
function heartbeats(
  { heard, silent, closed, lateP50Ms, lateP99Ms, lateMaxMs, ownDelayP99Ms },
  report,
) {
  report.line(
    `${heard} heartbeats late by`,
    `p50 ${ms(lateP50Ms)}, p99 ${ms(lateP99Ms)}, at most ${ms(lateMaxMs)} ` +
      `(clients' own delay p99 ${ms(ownDelayP99Ms)})`,
  );
  report.promise(
    silent === 0 && closed === 0,
    `${silent} sessions heard nothing, ${closed} closed`,
  );
}

/** @param {string} what @param {any} measured @param {import('./report.mjs').Report} report */
function calls(what, { calls: count, broken, p50Ms, p99Ms }, report) {
  report.line(what, `${count}, latency p50 ${ms(p50Ms)}, p99 ${ms(p99Ms)}`);
  const first = broken[0] === undefined ? '' : `: ${broken[0]}`;
  report.promise(
    broken.length === 0 && count > 0,
    `${broken.length} results lost or wrong${first}`,
  );
}
