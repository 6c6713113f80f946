/**
 * Three servers, one loop: metrics, logs and alerts as they come, each stamped with its server.
 */
import { createGroup } from '@longwire/client/group';
import { startMarket } from './market.mjs';

const names = ['metrics', 'logs', 'alerts'];
const markets = await Promise.all(names.map((name) => startMarket({ name })));
const group = createGroup(
  Object.fromEntries(names.map((name, i) => [name, markets[i]?.url ?? ''])),
);
await group.connect();

const events = group.events({ types: ['notifications/message'], bufferSize: 100 });
markets.forEach((market, i) => void market.say('info', `something of ${names[i]}`));

const seen = new Set();
for await (const event of events) {
  if (event.type !== 'notification') continue;
  console.log(`${event.server}: ${String(event.params?.['data'])}`);
  seen.add(event.server);
  if (seen.size === names.length) break;
}
console.log(`${events.dropped} dropped`);
await group.close();
await Promise.all(markets.map((market) => market.close()));
