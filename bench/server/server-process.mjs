/**
 * One contender in a process of its own, started with `--expose-gc`. Says by which URL it is reached,
 * answers what its parent asks, and ends with it.
 *
 * Arguments of the process: the contender's module, the transport, and the variant, if there is one.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { sharedNow } from './clock.mjs';

/**
 * @typedef {'sse' | 'streamable' | 'stateless'} Transport
 *
 * @typedef {'hibernate' | 'reuse'} Variant idle sessions hibernate; a server answers many stateless requests
 *
 * @typedef {object} StartOptions
 * @property {Transport} transport what the contender is asked to serve; it may serve others as well
 * @property {Variant | undefined} variant
 *
 * @typedef {object} Started
 * @property {string} url
 * @property {() => unknown} [broadcast] tells every client that the list of tools has changed
 * @property {() => Promise<void>} [hibernated] fulfilled when every session hibernates
 *
 * @typedef {(options: StartOptions) => Promise<Started>} Start what a contender's module exports as
 *   `start`
 *
 * @typedef {'memory' | 'cpu' | 'broadcast' | 'hibernated'} ServerOrder
 */

/** Between two collections, for what is freed in callbacks and finalizers. */
const SETTLE_MS = 50;

/** @param {Started} started @param {ServerOrder} order @returns {Promise<object>} */
async function carryOut(started, order) {
  switch (order) {
    case 'memory': {
      for (let turn = 0; turn < 3; turn++) {
        globalThis.gc?.();
        await delay(SETTLE_MS);
      }
      const { rss, heapUsed } = process.memoryUsage();
      return { rssKiB: rss / 1024, heapKiB: heapUsed / 1024 };
    }
    case 'cpu': {
      const { user, system } = process.cpuUsage();
      return { cpuUs: user + system };
    }
    case 'broadcast': {
      if (started.broadcast === undefined) throw new Error('it offers no broadcast');
      const startedAt = sharedNow();
      await started.broadcast();
      return { startedAt };
    }
    case 'hibernated':
      await started.hibernated?.();
      return {};
  }
}

async function main() {
  const [module, transport, variant] = process.argv.slice(2);
  if (!module || !transport) throw new Error('usage: <module> <transport> [variant]');
  /** @type {{ start: Start }} */
  const { start } = await import(module);
  const started = await start({
    transport: /** @type {Transport} */ (transport),
    variant: /** @type {Variant | undefined} */ (variant),
  });
  process.on('message', (order) => {
    carryOut(started, /** @type {ServerOrder} */ (order)).then(
      (answer) => process.send?.(answer),
      (error) => process.send?.({ error: String(error?.stack ?? error) }),
    );
  });
  process.send?.({ url: started.url });
}

process.on('disconnect', () => process.exit());
main().catch((error) => {
  process.send?.({ error: String(error?.message ?? error) });
});
