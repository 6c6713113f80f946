/** `@ai-sdk/mcp` looks at the server: `ai-sdk.mjs sse|http URL`. It shows neither progress nor notifications. */
import { createMCPClient } from '@ai-sdk/mcp';

const [type, url] = process.argv.slice(-2);
const client = await createMCPClient({ transport: { type, url } });
const tools = await client.tools();
const options = { toolCallId: '1', messages: [] };
const echo = await tools.echo.execute({ message: 'hé' }, options);
const failed = await tools.fail.execute({}, options);
const { contents } = await client.readResource({ uri: 'note://one' });
const getPrompt = client.getPrompt ?? client.experimental_getPrompt;
const { messages } = await getPrompt.call(client, { name: 'greet', arguments: { name: 'Ada' } });
await client.close();
const report = {
  tools: Object.keys(tools).toSorted(),
  echo: echo.content[0].text,
  failed: failed.isError ? failed.content[0].text : 'no error',
  resource: contents[0].text,
  prompt: messages[0].content.text,
};
process.stdout.write(JSON.stringify(report));
