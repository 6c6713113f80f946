import { warmUp } from './crowd.mjs';
import { ms } from './report.mjs';
import { startSwallowingProxy } from './swallowing-proxy.mjs';
import { Trial } from './trial.mjs';

/** How long a session may stay when its stream is gone, and when its client says nothing. */
const RESUME_MS = 10_000;
const SESSION_IDLE_MS = 45_000;
/** After the limit, for timers of so many sessions on a busy machine. */
const GRACE_MS = 15_000;

/**
 * Sessions whose clients vanish without a word.
 *
 * @param {import('./arguments.mjs').LoadArguments} size
 * @param {import('./report.mjs').Report} report
 */
export async function abandonment({ sessions }, report) {
  const trial = await Trial.start({
    heartbeatMs: 5_000,
    sessionIdleMs: SESSION_IDLE_MS,
    resumeMs: RESUME_MS,
    maxSessions: sessions + 1000,
    maxBufferedBytes: 16 * 1024 * 1024,
  });
  try {
    await warmUp(trial, 200);
    await vanishedStreams(trial, sessions, report);
    await unusedSessions(trial, sessions, report);
  } finally {
    await trial.close();
  }
}

/** @param {Trial} trial @param {number} sessions @param {import('./report.mjs').Report} report */
async function vanishedStreams(trial, sessions, report) {
  report.title(`${sessions} SSE sessions that vanish: reset, silent, half open`);
  const proxy = await startSwallowingProxy(trial.sseUrl);
  try {
    const before = await trial.measure();
    const third = Math.floor(sessions / 3);
    await trial.clients('open', { count: third, url: proxy.url });
    proxy.swallow();
    await trial.clients('vanish', { how: 'drop' });
    await trial.clients('open', { count: third });
    await trial.clients('vanish', { how: 'silent' });
    await trial.clients('open', { count: sessions - 2 * third });
    const during = await trial.measure();
    await trial.clients('vanish', { how: 'reset' });
    await allGone(trial, { before, during, sessions }, report);
  } finally {
    await trial.clients('endSilence');
    await proxy.close();
  }
}

/** @param {Trial} trial @param {number} sessions @param {import('./report.mjs').Report} report */
async function unusedSessions(trial, sessions, report) {
  report.title(`${sessions} Streamable HTTP sessions that are initialized and never used again`);
  const before = await trial.measure();
  await trial.clients('openUnused', { count: sessions });
  const during = await trial.measure();
  await allGone(trial, { before, during, sessions }, report);
}

/**
 * @param {Trial} trial
 * @param {{ before: import('./trial.mjs').Measured, during: import('./trial.mjs').Measured, sessions: number }} measured
 * @param {import('./report.mjs').Report} report
 */
async function allGone(trial, { before, during, sessions }, report) {
  report.line('sessions at once', `${during.instances}`);
  report.perSession(before, during, during.instances);
  const { left, tookMs } = await trial.untilEmpty(SESSION_IDLE_MS + GRACE_MS);
  report.promise(left === 0, `${sessions} are gone: ${left} left after ${ms(tookMs)}`);
  report.loopDelay('while they go', await trial.loopDelay());
  report.memoryReturns({ before, during, after: await trial.measure() });
}
