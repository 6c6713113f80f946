/**
 * A service that stops without losing a call, and says to its probes how it is: a breaker opens while
 * its server is gone, readiness follows, and closing lets the last call finish.
 */
import { createServer } from 'node:http';
import { LongwireError } from '@longwire/client';
import { createGroup, healthHandler } from '@longwire/client/group';
import { startMarket } from './market.mjs';

const first = await startMarket({ name: 'market' });
const group = createGroup(
  { market: first.url },
  {
    shared: { whenAway: 'fail', retry: { firstDelayMs: 20, maxDelayMs: 50 } },
    breaker: { failures: 3, openMs: 500 },
  },
);
await group.connect();

const health = healthHandler(group);
const probes = createServer((request, response) => health(request, response));
await new Promise((resolve) => probes.listen(0, '127.0.0.1', () => resolve(undefined)));
const address = probes.address();
const port = typeof address === 'object' ? address?.port : undefined;
/** @param {string} path */
const probe = async (path) => (await fetch(`http://127.0.0.1:${port}${path}`)).status;
console.log(`ready: ${await probe('/readyz')}`);

const opened = new Promise((resolve) => {
  group.on('breaker', ({ breaker }) => {
    console.log(`the breaker is ${breaker.state}`);
    if (breaker.state === 'open') resolve(undefined);
  });
});
await first.close();
await opened;
const failure = await group.callTool('price', { symbol: 'MSFT' }).catch((error) => error);
if (failure instanceof LongwireError) console.log(`${failure.code}, ${failure.certainty}`);
console.log(`ready: ${await probe('/readyz')}, alive: ${await probe('/livez')}`);

const second = await startMarket({ name: 'market', port: first.port });
for (let isBack = false; !isBack;) {
  isBack = await group.callTool('price', { symbol: 'MSFT' }).then(
    () => true,
    () => new Promise((resolve) => setTimeout(() => resolve(false), 20)),
  );
}

// As on SIGTERM: the call under way finishes, and the next one is not made.
const last = group.callTool('slow', { ms: 100 });
const closed = group.close({ drainMs: 10_000 });
const refused = await group.callTool('price', { symbol: 'MSFT' }).catch((error) => error);
console.log(`${refused.code}, ready: ${await probe('/readyz')}`);
console.log(`the last call: ${(await last).isError === true ? 'failed' : 'done'}`);
await closed;
await new Promise((resolve) => probes.close(resolve));
await second.close();
