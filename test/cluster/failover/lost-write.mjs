import { Redis } from 'ioredis';
import { setTimeout as delay } from 'node:timers/promises';
import { openSession, postLegacy } from '../away/requests.mjs';
import { startFailoverStage } from './stage.mjs';

const POLL_MS = 50;
const PATIENCE_MS = 60_000;
/** How long the call runs: longer than its node lives. */
const RUNNING_MS = 60_000;

/**
 * The worst that can happen to a call that must not run twice: its node tells the primary of it, and both
 * are lost before the replica knows. Then its client sends it again, to the next node.
 *
 * @param {{ replicas: number }} options of `redis(url, options)`
 * @returns {Promise<{ first: number | undefined, runs: number }>} the status of its first POST, if that was answered;
 *   how often it ran
 */
export async function loseWrite({ replicas }) {
  const stage = await startFailoverStage('killed', { replicas, nodes: 2 });
  try {
    const { sentinels } = stage.store;
    const [first, second] = stage.nodes;
    const [primary, replica] = sentinels?.servers ?? [];
    if (!sentinels || !first?.origin || !second?.origin || !primary || !replica) {
      throw new Error('the stage is not complete');
    }
    const { session } = await openSession(first.origin);
    const call = (/** @type {string} */ key, /** @type {number} */ ms) => {
      const params = { name: 'pay', arguments: { key, ms, steps: ms === 0 ? 0 : 1 } };
      return { id: key, method: 'tools/call', params };
    };
    await postLegacy(first.origin, call('before', 0), session);
    const copy = new Redis(replica.url);
    const knows = async () => (await copy.keys('*s:{*')).length > 0;
    while (!(await knows())) await delay(POLL_MS);
    // The replica hears nothing any more.
    await copy.call('REPLICAOF', '127.0.0.1', '1');
    /** @type {number | undefined} */
    let status;
    const posted = postLegacy(first.origin, call('pay-once', RUNNING_MS), session);
    posted.then(
      (got) => (status = got.status),
      () => {},
    );
    const runs = () => stage.journal().get('pay-once')?.length ?? 0;
    const until = performance.now() + PATIENCE_MS;
    while (runs() === 0 && status === undefined) {
      if (performance.now() > until) throw new Error('the call did not run, and was not refused');
      await delay(POLL_MS);
    }
    const refusedWith = status;
    await first.kill();
    await posted;
    await primary.kill();
    // One that points elsewhere would not be elected.
    await copy.call('REPLICAOF', '127.0.0.1', primary.port);
    copy.disconnect();
    while ((await sentinels.primaryNow()) !== replica) await delay(POLL_MS);
    // There has to be a replica again, where it counts.
    if (replicas > 0) await sentinels.comeBack(primary);
    const wanted = refusedWith === undefined ? 2 : 1;
    const again = async () => {
      while (performance.now() < until + PATIENCE_MS) {
        const got = await postLegacy(second.origin ?? '', call('pay-once', RUNNING_MS), session);
        if (got.status !== 503) return;
        await delay(POLL_MS);
      }
    };
    const answered = again().then(() => true);
    while (!(await Promise.race([answered, delay(POLL_MS, false)]))) {
      // It runs for longer than anybody needs to wait.
      if (runs() === wanted) break;
    }
    return { first: refusedWith, runs: runs() };
  } finally {
    await stage.stop();
  }
}
