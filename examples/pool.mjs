/**
 * A pool of three: calls of a slow tool run side by side on three connections, and the rest wait in
 * order.
 */
import { createPool } from '@longwire/client/pool';
import { startMarket } from './market.mjs';

const market = await startMarket();
const pool = createPool(market.url, { size: 3, maxQueued: 100 });
const calls = Array.from({ length: 9 }, () => pool.callTool('slow', { ms: 50 }));

await Promise.race(calls);
const { waiting, targets } = pool.status();
const [target] = targets;
const connections = (target?.busy ?? 0) + (target?.idle ?? 0);
console.log(`${connections} connections, ${waiting > 0 ? 'others wait' : 'nobody waits'}`);
console.log(`${(await Promise.all(calls)).length} done`);
await pool.close();
await market.close();
