/**
 * A turn of Claude that is stopped in the middle of a long call, and goes on elsewhere: the server keeps
 * the answer of the call, which is not made again. A mock of the API plays Claude's part.
 */
import { LLMock } from '@copilotkit/aimock';
import Anthropic from '@anthropic-ai/sdk';
import { createAgent } from '@longwire/agent';
import { connect } from '@longwire/client';
import { serve } from '@longwire/server';
import { McpServer } from '@modelcontextprotocol/server';
import { setTimeout as delay } from 'node:timers/promises';

const serving = await serve({
  tasks: { export: { task: 'required', pollIntervalMs: 100 } },
  create: () => {
    const server = new McpServer({ name: 'reports', version: '1.0.0' });
    server.registerTool('export', {}, async () => {
      console.log('the export runs');
      await delay(500);
      return { content: [{ type: 'text', text: '12 pages' }] };
    });
    return server;
  },
});
const mock = new LLMock({ port: 0, host: '127.0.0.1', logLevel: 'silent' });
let answers = 0;
mock.on({ predicate: () => true }, () =>
  answers++ === 0 ? { toolCalls: [{ name: 'export', arguments: '{}' }] } : { content: 'Exported.' },
);
await mock.start();
const anthropic = new Anthropic({ apiKey: 'none', baseURL: mock.url });
const reports = await connect(serving.url, { name: 'reports' });

const first = createAgent({ clients: [reports], anthropic });
for await (const event of first.send('Export the reports.')) {
  if (event.type === 'tool-task') first.close();
}
const kept = JSON.stringify({ messages: first.messages, tasks: first.tasks });
console.log(`left: ${first.tasks.map(({ tool }) => tool).join()}`);

const second = createAgent({ clients: [reports], anthropic, ...JSON.parse(kept) });
for await (const event of second.resume()) {
  if (event.type === 'tool-result') console.log('the result:', event.result.content[0].text);
  if (event.type === 'done') console.log(event.text);
}
second.close();
await reports.close();
await serving.close();
await mock.stop();
