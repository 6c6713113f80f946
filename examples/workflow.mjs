/**
 * A workflow with two triggers: when the market warns, shares are bought; when anything is said, it
 * is looked at. Every run is written down, and survives a crash.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@longwire/client';
import { createWorkflow, parseWorkflow, readJournal } from '@longwire/workflow';
import { startMarket } from './market.mjs';

const workflow = parseWorkflow(`
name: dip
triggers:
  - id: buy-the-dip
    on: log:warning
    where: event.data.drop > 5
    call: buy
    with: { symbol: =event.data.symbol, count: 10 }
  - id: look
    on: notifications/message
    call: price
    with: { symbol: =event.data.symbol }
    catch:
      - call: price
        with: { symbol: AAPL }
`);

const directory = await mkdtemp(join(tmpdir(), 'workflow-'));
const market = await startMarket();
const client = createClient(market.url, { name: 'market' });
await client.connect();
const runner = createWorkflow(workflow, {
  servers: { market: client },
  journal: directory,
  log: ({ trigger, outcome, steps }) => {
    console.log(`${trigger}: ${outcome}, ${steps.length} step`);
  },
});
await runner.check();
await runner.start();

await market.say('info', { symbol: 'MSFT' });
await market.say('warning', { symbol: 'NVDA', drop: 7 });
while (market.calls.length < 3) await new Promise((resolve) => setTimeout(resolve, 20));
await runner.idle();
await runner.stop();
console.log(
  `${(await readJournal(directory)).length} runs in the journal: ${market.calls.join(', ')}`,
);
await client.close();
await market.close();
await rm(directory, { recursive: true });
