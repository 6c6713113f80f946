/**
 * Claude with the tools of a market. Without a key of yours in the environment a mock of the API
 * plays Claude's part: it asks for a price, and tells what it was.
 */
import { LLMock } from '@copilotkit/aimock';
import Anthropic from '@anthropic-ai/sdk';
import { createAgent } from '@longwire/agent';
import { createGroup } from '@longwire/client/group';
import { startMarket } from './market.mjs';

const mock = new LLMock({ port: 0, host: '127.0.0.1', logLevel: 'silent' });
let turns = 0;
mock.on({ predicate: () => true }, () =>
  turns++ === 0
    ? { toolCalls: [{ name: 'price', arguments: '{"symbol":"AAPL"}' }] }
    : { content: 'Apple stands at 231.50.' },
);
await mock.start();
const hasKey = process.env['ANTHROPIC_API_KEY'] !== undefined;
const anthropic = hasKey ? new Anthropic() : new Anthropic({ apiKey: 'none', baseURL: mock.url });

const market = await startMarket();
// One that is not there delays nobody, and its tools come when it does.
const group = createGroup({ market: market.url });
const agent = createAgent({ clients: [group], anthropic });

for await (const event of agent.send('How is Apple doing?')) {
  if (event.type === 'text') process.stdout.write(event.text);
  if (event.type === 'tool-call') console.log(`-> ${event.tool}`, event.arguments);
  if (event.type === 'tool-result') console.log(event.isError ? 'failed' : 'answered');
}
console.log();
agent.close();
await group.close();
await market.close();
await mock.stop();
