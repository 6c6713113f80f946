import { createAgent } from '@longwire/agent';
import { connect } from '@longwire/client';

const client = await connect(process.env.MARKET_URL);
const agent = createAgent({
  clients: [client],
  approve: {
    ask: ({ annotations }) => annotations?.readOnlyHint !== true,
    hook: ({ tool }) => {
      console.log(`may it ${tool}? no`);
      return false;
    },
  },
});
for await (const event of agent.send('Buy Apple.')) {
  if (event.type === 'text') process.stdout.write(event.text);
}
await client.close();
