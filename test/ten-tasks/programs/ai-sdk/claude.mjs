import { createMCPClient } from '@ai-sdk/mcp';
import Anthropic from '@anthropic-ai/sdk';
import { mcpTool } from '@anthropic-ai/sdk/helpers/beta/mcp';

const client = await createMCPClient({ transport: { type: 'http', url: process.env.MARKET_URL } });

function withApproval(tool) {
  const runnable = mcpTool(tool, client);
  if (tool.annotations?.readOnlyHint) return runnable;
  return {
    ...runnable,
    run: async () => {
      console.log(`may it ${tool.name}? no`);
      return 'The user declined this call.';
    },
  };
}

const { tools } = await client.listTools();
const runner = new Anthropic().beta.messages.toolRunner({
  model: 'claude-sonnet-5-5',
  max_tokens: 16_384,
  max_iterations: 25,
  messages: [{ role: 'user', content: 'Buy Apple.' }],
  tools: tools.map(withApproval),
  stream: true,
});
for await (const stream of runner) {
  for await (const event of stream) {
    if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') {
      process.stdout.write(event.delta.text);
    }
  }
}
await client.close();
