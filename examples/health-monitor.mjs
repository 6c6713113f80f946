/**
 * A server that goes away and comes back: the monitor says so, and the group's tools are there
 * again by themselves.
 */
import { createGroup, createMonitor } from '@longwire/client/group';
import { startMarket } from './market.mjs';

const first = await startMarket({ name: 'market' });
const group = createGroup(
  { market: first.url },
  { shared: { retry: { maxAttempts: 2, firstDelayMs: 20, maxDelayMs: 50 } } },
);
await group.connect();
const watch = createMonitor(group, { intervalMs: 50 });

/** @param {string} status */
const until = (status) =>
  new Promise((resolve) => {
    const stop = watch.on('change', ({ server, health }) => {
      if (health.status !== status) return;
      console.log(`${server} is ${health.status}`);
      stop();
      resolve(undefined);
    });
  });

await until('healthy');
const down = until('down');
await first.close();
await down;

const healthy = until('healthy');
const second = await startMarket({ name: 'market', port: first.port });
await healthy;
console.log((await group.callTool('price', { symbol: 'MSFT' })).content);
await watch.stop();
await group.close();
await second.close();
