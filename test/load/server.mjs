/**
 * The server of the trial, in a process of its own that ends with its parent. Started with the kit's
 * options as JSON; says where it listens, then answers `measure`, `delay` and
 * `count`.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { startKit } from './kit.mjs';
import { createTenTools } from './ten-tools.mjs';

const gc = /** @type {() => void} */ (globalThis.gc);
/** A loop that is never late measures this, too. */
const RESOLUTION_MS = 10;
const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

/** Instances that were made and not closed: the number that the kit cannot get wrong. */
let instances = 0;

const kit = await startKit(
  () => {
    const server = createTenTools();
    instances += 1;
    server.server.onclose = () => (instances -= 1);
    return server;
  },
  JSON.parse(process.argv[2] ?? '{}'),
);

process.on('disconnect', () => process.exit());
process.on('message', (question) => {
  if (question === 'measure') void measure().then((measured) => process.send?.(measured));
  else process.send?.(question === 'delay' ? delay() : { instances });
});
delays.enable();
process.send?.({ sseUrl: kit.sseUrl, mcpUrl: kit.url });

/** What the process holds once garbage is collected. */
async function measure() {
  for (let round = 0; round < 3; round++) {
    gc();
    // What a finalizer or a closed socket frees is garbage in the next round.
    await nextTurn();
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  delays.reset();
  return { instances, rssBytes: rss, heapBytes: heapUsed + external };
}

/** How late the event loop was since it was asked before, in milliseconds. */
function delay() {
  const late = (/** @type {number} */ ns) => Math.max(0, ns / 1e6 - RESOLUTION_MS);
  const measured = {
    p50Ms: late(delays.percentile(50)),
    p99Ms: late(delays.percentile(99)),
    maxMs: late(delays.max),
  };
  delays.reset();
  return measured;
}
